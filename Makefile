# mail-suite
#
#   make            build everything into build/; needs neither root nor network
#   make run        a running mail server with a demo domain (root; installs what is missing)
#   make test       packages, build, all tests (root)
#   make setup      build and install into ROOT (root)
#   make lint       formatting, static analysis, shell scripts, man pages
#   make fuzz       fuzz targets, FUZZ_SECONDS each
#   make fault      power cuts and failing calls, one by one (root; t/fault/README.md)
#   make bench      measurements beside Postfix and Dovecot, into bench/README.md (root; bench/run, bench/imap have options)
#   make clean
#
#   CC=clang        the other compiler         SAN=1   AddressSanitizer and UBSan
#   WERROR=         warnings stay warnings     ROOT=…  another instance     V=1  show commands
#
# Every program is its own main file, its family's folder and the libraries' folders, as archives: the
# linker takes what is used. The table below names what a program links beyond libc: its weight and its reach.

ROOT    ?= /var/mail-suite
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
WERROR  ?= -Werror
FUZZ_SECONDS ?= 10

PROGRAMS = \
	tcpd/tcpd tcpd/tlsd tcpd/keyd \
	authd/authd authd/spawnd authd/stated \
	smtpd/smtpd smtpd/lookupd \
	pop3d/pop3-login pop3d/pop3d \
	imapd/imap-login imapd/imapd \
	queue/queue-inject queue/queued queue/sendmail queue/mailq \
	scan/scand \
	deliver/local deliver/remote deliver/bounce deliver/mtastsd \
	store/ageing store/nightly \
	admin/cdb admin/mailctl
# Copied for each connection (common/template.h; tlsd forks): the fewer mappings, the cheaper. nightly
# sleeps all day.
STATIC = smtpd imap-login pop3-login pop3d tlsd nightly
FAMILIES = tcpd authd smtpd pop3d imapd queue scan deliver store admin
# What all families share; each may use those behind it.
LIBRARIES = mailbox message common

LIBS_tlsd    = -lbearssl
LIBS_keyd    = -lbearssl
LIBS_authd   = -lcrypt -lbearssl
LIBS_smtpd   = -lbearssl
LIBS_queued  = -lbearssl -lz
LIBS_queue-inject = -lz
LIBS_bounce  = -lbearssl
LIBS_lookupd = -lcares -lresolv
LIBS_scand   = -lclamav
LIBS_remote  = -lresolv -lidn2
LIBS_mtastsd = -lresolv
# imapd is copied, too, but iconv loads its converters, which wants libc as it is installed.
LIBS_imapd   = $(if $(SAN),-lunistring -lz,-l:libunistring.a -l:libz.a)
LIBS_local   = $(if $(SAN),-lidn2 -lunistring,-l:libidn2.a -l:libunistring.a)
LIBS_mailctl = -lcrypt -lcsv -ljansson -lidn2 -lunistring
LIBS_cdb     = -lcrypt -lidn2 -lunistring
# For common/cdbfile.
LIBS_COMMON  = -lcdb
# What the unit tests and fuzz targets of a family link.
LIBS_TEST_common = -lunistring -lidn2 -lcrypt -lbearssl -lz
LIBS_TEST_message = $(LIBS_TEST_common)
LIBS_TEST_mailbox = $(LIBS_TEST_common)
LIBS_TEST_tcpd   = -lbearssl
LIBS_TEST_authd  = -lcrypt -lbearssl
LIBS_TEST_smtpd  = -lcares -lresolv -lbearssl
LIBS_TEST_queue  = -lbearssl -lz
LIBS_TEST_scan   = -lclamav -lz
LIBS_TEST_deliver = -lresolv -lidn2 -lbearssl -lunistring
LIBS_TEST_imapd  = -lunistring -lz
LIBS_TEST_admin  = -lcrypt -lcsv -ljansson -lidn2 -lunistring

# ---- flags -------------------------------------------------------------------------------------
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wformat=2 -Wundef -Wwrite-strings -Wcast-qual -Wpointer-arith -Wnull-dereference \
	-Wimplicit-fallthrough $(WERROR)
IS_CLANG := $(findstring clang,$(notdir $(CC)))
ifeq ($(IS_CLANG),)
WARNINGS += -Wlogical-op -Wduplicated-cond
AUTO_INIT = -ftrivial-auto-var-init=zero
endif
HARDEN  = -fPIE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection $(AUTO_INIT)
LINK    = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed
BASE    = -std=c17 -D_GNU_SOURCE $(addprefix -I,$(LIBRARIES)) -ffunction-sections -fdata-sections -pthread -g -MMD -MP

ifdef SAN
BUILD   = build/$(notdir $(CC))-san
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-DMAIL_SUITE_SANITIZER
CFLAGS  = $(BASE) -O1 $(WARNINGS) $(SANITIZE)
LDFLAGS = $(SANITIZE)
else
BUILD   = build/$(notdir $(CC))
CFLAGS  = $(BASE) -O2 $(WARNINGS) $(HARDEN)
LDFLAGS = $(LINK)
endif

quiet = $(if $(V),,@echo "  $(1) $@";)

# ---- objects, archives, programs ---------------------------------------------------------------
MAINS    = $(addsuffix .c,$(PROGRAMS))
objects_of = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(MAINS),$(wildcard $(1)/*.c)))
binary   = $(BUILD)/bin/$(notdir $(1))
BINARIES = $(foreach program,$(PROGRAMS),$(call binary,$(program)))

.PHONY: all deps test run setup lint fuzz fault clean unit check-san e2e binaries bench
.DELETE_ON_ERROR:
.SECONDARY:
all: binaries
binaries: $(BINARIES)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(CFLAGS) -I$(dir $<) -c -o $@ $<

define archive_rules
$(BUILD)/$(1).a: $(call objects_of,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call quiet,AR)ar rcs $$@ $$^
endef
$(foreach folder,$(FAMILIES) $(LIBRARIES),$(eval $(call archive_rules,$(folder))))
ARCHIVES = $(LIBRARIES:%=$(BUILD)/%.a)

define program_rules
$(call binary,$(1)): $(BUILD)/$(1).o $(BUILD)/$(patsubst %/,%,$(dir $(1))).a $(ARCHIVES)
	@mkdir -p $$(@D)
	$$(call quiet,LD)$$(CC) $(if $(filter $(STATIC),$(notdir $(1))),$$(LDFLAGS:-pie=-static-pie),$$(LDFLAGS)) -pthread -o $$@ $$^ \
		$$(LIBS_$(notdir $(1))) $$(LIBS_COMMON)
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rules,$(program))))

# ---- unit tests: t/unit/FAMILY/test_TOPIC.c ----------------------------------------------------
UNIT_SOURCES = $(wildcard t/unit/*/test_*.c)
UNIT_TESTS   = $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES))

define unit_rules
$(BUILD)/t/unit/$(1)/%.o: CFLAGS += -I$(1) -It/unit
$(BUILD)/t/unit/$(1)/test_%: $(BUILD)/t/unit/$(1)/test_%.o $(if $(filter $(LIBRARIES),$(1)),,$(BUILD)/$(1).a) $(ARCHIVES)
	$$(call quiet,LD)$$(CC) $$(LDFLAGS) -pthread -o $$@ $$^ -lcmocka $$(LIBS_TEST_$(1)) $$(LIBS_COMMON)
endef
$(foreach family,$(LIBRARIES) $(FAMILIES),$(eval $(call unit_rules,$(family))))

# A week in the queue passes on a clock of the test's own.
$(BUILD)/t/unit/queue/test_week: LDFLAGS += -Wl,--wrap=clock_gettime
# Calls that change the disk fail.
$(BUILD)/t/unit/mailbox/test_mailboxfull: LDFLAGS += $(addprefix -Xlinker --wrap=,write pwrite openat \
	renameat renameat2 linkat unlinkat ftruncate fsync fdatasync futimens)

unit: $(UNIT_TESTS)
	t/unit/run $(UNIT_TESTS)

# ---- fuzz targets: t/fuzz/fuzz_FAMILY_PARSER.c -------------------------------------------------
FUZZ_BUILD  ?= build/fuzz
FUZZ_FLAGS   = $(BASE) -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-DMAIL_SUITE_SANITIZER
FUZZ_SOURCES = $(wildcard t/fuzz/fuzz_*.c)
FUZZ_TARGETS = $(patsubst t/fuzz/%.c,$(FUZZ_BUILD)/%,$(FUZZ_SOURCES))
fuzz_objects = $(patsubst %.c,$(FUZZ_BUILD)/%.o,$(filter-out $(MAINS),$(wildcard $(1)/*.c)))

$(FUZZ_BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)clang $(FUZZ_FLAGS) -I$(dir $<) -c -o $@ $<

define fuzz_rules
$(FUZZ_BUILD)/$(1).a: $(call fuzz_objects,$(1))
	@rm -f $$@
	$$(call quiet,AR)ar rcs $$@ $$^
$(FUZZ_BUILD)/t/fuzz/fuzz_$(1)_%.o: FUZZ_FLAGS += -I$(1)
$(FUZZ_BUILD)/fuzz_$(1)_%: $(FUZZ_BUILD)/t/fuzz/fuzz_$(1)_%.o $(if $(filter $(LIBRARIES),$(1)),,$(FUZZ_BUILD)/$(1).a) $(LIBRARIES:%=$(FUZZ_BUILD)/%.a)
	$$(call quiet,LD)clang -fsanitize=fuzzer,address,undefined -Wl,--gc-sections -Wl,--as-needed -pthread \
		-o $$@ $$^ $$(LIBS_TEST_$(1)) $$(LIBS_COMMON)
endef
$(foreach family,$(LIBRARIES) $(FAMILIES),$(eval $(call fuzz_rules,$(family))))

fuzz: $(FUZZ_TARGETS)
	t/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# ---- proof of no loss: t/fault -----------------------------------------------------------------
FAULT_PARTS = $(BUILD)/t/fault/shim.so $(BUILD)/t/fault/wrapper

$(BUILD)/t/fault/shim.so: t/fault/shim.c t/fault/faultlog.h
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=c17 -D_GNU_SOURCE -O2 -g $(WARNINGS) -fPIC -shared -pthread -o $@ $<

$(BUILD)/t/fault/wrapper: t/fault/wrapper.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=c17 -D_GNU_SOURCE -O2 -g $(WARNINGS) -o $@ $<

fault: all $(FAULT_PARTS)
	BINARIES=$(abspath $(BUILD))/bin FAULT_BUILD=$(abspath $(BUILD))/t/fault t/fault/run

# ---- the two commands, and installing ----------------------------------------------------------
deps:
	etc/deps

setup: all
	etc/setup "$(BUILD)/bin" "$(ROOT)"

run:
	etc/deps run
	$(MAKE) all
	etc/run "$(BUILD)/bin" "$(ROOT)"

e2e: all
	t/e2e/run

test: deps
	$(MAKE) all unit
	$(MAKE) CC=clang all
	$(MAKE) SAN=1 all unit
	$(MAKE) fuzz
	$(MAKE) e2e
	$(MAKE) fault

lint:
	t/lint

bench: all
	etc/deps bench
	bench/run --build "$(BUILD)"
	bench/imap --build "$(BUILD)"

clean:
	rm -rf build

-include $(shell find $(BUILD) $(FUZZ_BUILD) -name '*.d' 2>/dev/null)
