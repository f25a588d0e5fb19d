# SPDX-License-Identifier: GPL-2.0-only
# bash completion of wattlectl, which knows itself what may come next.
_wattlectl()
{
	local cur prev words cword

	# Addresses have colons in them, which are no ends of words here.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev words cword
	else
		cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	fi
	COMPREPLY=()
	case ${words[cword - 1]} in
	-b | -batch | --batch | -f)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <("${words[0]}" complete "${words[@]:1:cword}" 2>/dev/null)
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}
complete -F _wattlectl wattlectl
