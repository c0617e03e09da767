# Front door for developers; CMakePresets.json and ./run, ./test do the work. Programs are built
# into build/bin. Nothing here is needed to use Cria: ./run and ./test work without make.
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

all: ## release build into build/bin
	@cmake --preset release >/dev/null
	@ninja -C build -j $(JOBS)

run: ## what ./run does: build, serve the samples, ask a first question
	@./run

test: ## what ./test does: everything
	@./test

check: ## the unit tests alone
	@./test unit

asan: ## the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@./test sanitize

tsan: ## the unit tests under ThreadSanitizer
	@cmake --preset tsan >/dev/null
	@ninja -C build-tsan -j $(JOBS)
	@ctest --test-dir build-tsan --output-on-failure -j $(JOBS)

fuzz: ## each fuzz target for a minute; FUZZ_SECONDS=
	@CRIA_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) ./test fuzz

lint: ## includes, banned calls, format, headers, clang-tidy
	@cmake --preset dev >/dev/null
	@tools/lint build-dev

fmt: ## clang-format on all sources
	@tools/format

bench: ## measure beside floors and peers
	@cmake --preset bench >/dev/null
	@ninja -C build-bench -j $(JOBS)
	@bench/run build-bench

docs: all ## docs/configuration.md from the option table
	@tools/configuration-docs
	@sdk/reference build/libcria.html

samples: ## the sample PDF and DOCX from their sources
	@samples/make-samples

install: all ## into PREFIX=/usr/local
	@DESTDIR=$(DESTDIR) cmake --install build --prefix $(PREFIX) --strip

clean: ## remove the build folders; data folders stay
	@rm -rf build build-dev build-asan build-tsan build-fuzz build-bench

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: all run test check asan tsan fuzz lint fmt bench docs samples install clean help
