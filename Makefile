# Every habit has a name. `make` builds, `make demo` shows, `make test` proves.
BUILD ?= build/dev
JOBS ?= $(shell nproc)

.PHONY: all setup build demo demo-down test unit e2e tidy lint format asan release bench conformance nightly clean

all: build

setup:
	@tools/setup --check || tools/setup
	@cmp -s tools/requirements.txt build/venv/.installed || tools/setup

build: setup
	@test -f $(BUILD)/build.ninja || cmake --preset $(notdir $(BUILD)) >/dev/null
	ninja -j$(JOBS) -C $(BUILD) brume

# The hello system, from Terraform to an answer through its load balancer, then what to look at next.
demo: build
	systems/hello/demo

demo-down:
	systems/hello/demo down

# Unit tests and end-to-end tests with real clients; the last line says how many passed, failed and were skipped.
test: build
	ninja -j$(JOBS) -C $(BUILD) brume_tests
	tools/test unit e2e

unit: setup
	@test -f $(BUILD)/build.ninja || cmake --preset $(notdir $(BUILD)) >/dev/null
	ninja -j$(JOBS) -C $(BUILD) brume_tests
	tools/test unit

e2e: build
	tools/test e2e

tidy:
	tools/tidy

# clang-tidy by .clang-tidy over what is not a test: the whole tree takes an hour of two cores, FOLDER=src/core a minute.
FOLDER ?= src
lint: build
	git ls-files '$(FOLDER)/*.cpp' | grep -v -e _test.cpp -e _fuzz.cpp -e _bench.cpp | \
	  xargs -P $(JOBS) -n 8 clang-tidy-19 -p build/dev --quiet 2>/dev/null

format:
	git ls-files '*.cpp' '*.h' | xargs clang-format-19 -i

# Unit tests, and a smoke of the program, under AddressSanitizer and UndefinedBehaviorSanitizer.
asan: setup
	tools/test asan smoke

# The program as it is handed on, laid out by what its requests run through: build/release/dist/brume.
release: setup
	tools/release

bench: setup
	bench/run

# Other people's suites: protocol vectors, signatures, moto's tests. One table: suite, passed, failed, excluded, all.
conformance: build
	tools/test protocols sigv4 moto

# What takes too long for every push: TSan, long fuzzing, protocol vectors of others, lint, benches, soak.
nightly: build
	tools/nightly

clean:
	rm -rf build
