# SPDX-License-Identifier: GPL-2.0
#
# The verbs of the project: `make help`. The kernel's build system reads Kbuild
# instead of this file: `make -C $KDIR M=$PWD modules` works without it, which
# DKMS relies on.

# One number for all: the module's stands in its main header.
VERSION := $(shell sed -n 's/^.define WATTLE_VERSION[^"]*"\(.*\)".*/\1/p' kmod/wattle.h)

PREFIX ?= /usr
DESTDIR ?=

# --- the module ------------------------------------------------------------
#
# KVER names a kernel (the running one by default), KDIR its build directory.
# KERNEL=6.1|6.12|7|debug takes one of the kernels that scripts/kernel keeps.

ifneq ($(KERNEL),)
  KVER := $(shell scripts/kernel release $(KERNEL))
  ifeq ($(KVER),)
    $(error scripts/kernel has no kernel "$(KERNEL)")
  endif
  KBUILD = scripts/kernel make $(KERNEL)
else
  KVER ?= $(shell uname -r)
  ifeq ($(origin KDIR),undefined)
    # A kernel that is not installed may still be among those kept.
    ifeq ($(wildcard /lib/modules/$(KVER)/build/Makefile),)
      KEPT := $(shell scripts/kernel name $(KVER) 2>/dev/null)
    endif
    KDIR := /lib/modules/$(KVER)/build
  endif
  KBUILD = $(if $(KEPT),scripts/kernel make $(KEPT),$(MAKE) -C $(KDIR))
endif

OUT := build/$(KVER)

.DEFAULT_GOAL := all
.PHONY: all module module-test tool demo bench check install uninstall dkms deb clean help

all: module tool

# The build runs in a copy below build/, so that several kernels can be built
# at once and nothing is left between the sources.
module:
	@scripts/kernel-build $(OUT) "" $(KBUILD)

module-test:
	@scripts/kernel-build $(OUT) tests $(KBUILD)

# --- the tool --------------------------------------------------------------

TOOL_LIBS := libnl-3.0 libnl-genl-3.0 libnl-route-3.0 yaml-0.1 jansson smartcols
TOOL_SRC := $(wildcard userspace/*.c userspace/libwattle/*.c \
	userspace/wattlectl/*.c userspace/manifest/*.c)
# The tests build one of their own elsewhere.
B ?= build
TOOL_OBJ := $(TOOL_SRC:%.c=$(B)/tool/%.o)

CFLAGS ?= -O2 -g
TOOL_CFLAGS = -std=gnu11 -Wall -Wextra -Werror=implicit-function-declaration \
	-D_GNU_SOURCE -DWATTLE_VERSION='"$(VERSION)"' -Iuapi -Iuserspace \
	$(shell pkg-config --cflags $(TOOL_LIBS)) $(CPPFLAGS) $(CFLAGS)
TOOL_LDLIBS = $(shell pkg-config --libs $(TOOL_LIBS)) -lm

tool: $(B)/wattlectl

$(B)/wattlectl: $(TOOL_OBJ)
	$(if $(TOOL_OBJ),,$(error no sources of wattlectl here))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOL_LDLIBS)

$(B)/tool/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -MMD -MP -c -o $@ $<

# Its number is the module's.
$(B)/tool/userspace/wattlectl/version.o: kmod/wattle.h

-include $(TOOL_OBJ:.o=.d)

# --- what shows and proves it ----------------------------------------------

demo:
	@scripts/demo

bench:
	@tests/bench/run --growth --tables

check:
	@tests/run

# --- installing ------------------------------------------------------------

MAN8 := $(wildcard Documentation/man/*.8)
COMPLETION = $(PREFIX)/share/bash-completion/completions/wattlectl

install: tool
	install -D -m 755 $(B)/wattlectl $(DESTDIR)$(PREFIX)/sbin/wattlectl
	$(if $(MAN8),install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $(MAN8))
	install -D -m 644 userspace/completion/wattlectl.bash $(DESTDIR)$(COMPLETION)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/wattlectl
	rm -f $(patsubst %,$(DESTDIR)$(PREFIX)/share/man/man8/%,$(notdir $(MAN8)))
	rm -f $(DESTDIR)$(COMPLETION)

DKMS_SRC = $(DESTDIR)/usr/src/wattle-$(VERSION)

# Puts the sources where DKMS looks; registers and builds them unless this is
# an installation into DESTDIR, for a package. DKMS builds nothing that it has
# built of this version, so that goes first.
dkms:
	[ . -ef $(DKMS_SRC) ] || rm -rf $(DKMS_SRC)
	install -d $(DKMS_SRC)/kmod $(DKMS_SRC)/uapi
	install -m 644 Kbuild LICENSE $(DKMS_SRC)/
	cp -a kmod/. $(DKMS_SRC)/kmod/
	cp -a uapi/. $(DKMS_SRC)/uapi/
	sed 's/@VERSION@/$(VERSION)/' dkms.conf > $(DKMS_SRC)/dkms.conf
	$(if $(DESTDIR),,! dkms status wattle/$(VERSION) -k $(KVER) | grep -qE ': (built|installed)' || \
		dkms remove wattle/$(VERSION) -k $(KVER))
	$(if $(DESTDIR),,dkms install --force -m wattle -v $(VERSION) -k $(KVER))

# debian/rules builds below build/debian; DEB_DIR tells it where packages go.
deb:
	@scripts/deps deb
	@mkdir -p build
	DEB_DIR=$(CURDIR)/build dpkg-buildpackage -us -uc -b -tc \
		--buildinfo-option=-u$(CURDIR)/build --buildinfo-file=build/wattle.buildinfo \
		--changes-option=-u$(CURDIR)/build --changes-file=build/wattle.changes
	@ls build/*.deb

clean:
	rm -rf build

help:
	@echo 'make module [KVER=release] [KDIR=dir]   build/$$KVER/wattle.ko'
	@echo 'make module KERNEL=6.1|6.12|7|debug     the same for a kernel kept by scripts/kernel'
	@echo 'make module-test ...                    build/$$KVER/wattle_test.ko, the unit tests, as well'
	@echo 'make tool                               build/wattlectl'
	@echo 'make demo                               the main job, shown, in a virtual machine'
	@echo 'make check [SUITES="a b"] [KERNELS="6.1 6.12 7 debug"|all]'
	@echo '           [CACHE=off]                  every test; last line: N passed, N failed, N skipped'
	@echo 'make bench                              the benchmark: a table, and build/bench.json'
	@echo 'make install | dkms | deb               the tool; the module by DKMS; Debian packages'
	@echo 'make clean                              removes build/'
