# Parley's development commands. `make` alone lists them. `make run` needs Go; `make test` needs Go and Node.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
GOBUILD  := CGO_ENABLED=0 go build -buildvcs=false -ldflags '$(LDFLAGS)'
FUZZTIME ?= 3s
# staticcheck is run at this version without being a dependency of the module.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help run build parley-bench test test-go test-web test-e2e test-firefox test-long quality lint bench fuzz web web-fresh package api-docs setup docker clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## start a server to try things out; prints the address of the call page
	@exec bin/parley serve --dev

build: ## build bin/parley, one static binary
	@$(GOBUILD) -o bin/parley ./cmd/parley

parley-bench: ## build bin/parley-bench, the load generator
	@$(GOBUILD) -o bin/parley-bench ./cmd/parley-bench

test: setup lint web-fresh test-go test-web fuzz test-e2e ## everything, with real browsers; under 20 minutes on 2 cores
	@echo "make test: all passed"

setup: ## fetch modules, npm packages and, on Debian, a browser
	@.ci/setup

test-go: ## Go tests with the race detector
	@mkdir -p .cache
	go test -race -timeout 10m ./... 2>&1 | tee .cache/go-test.log

test-web: ## unit tests of the SDK and the page
	cd web && npm test

test-e2e: build ## calls between real browsers
	cd web && PARLEY_BIN="$(CURDIR)/bin/parley" npm run test:e2e

test-firefox: build ## calls between Firefox and Chromium; fetches a Firefox on Debian
	@.ci/setup firefox
	cd web && PARLEY_BIN="$(CURDIR)/bin/parley" npm run e2e:firefox

test-long: setup build ## the same for longer: 1,000 join and leave cycles, five rounds of browsers, Firefox, minutes of fuzzing, bad networks
	PARLEY_CYCLES=1000 go test -race -timeout 3h ./...
	for round in 1 2 3 4 5; do (cd web && PARLEY_BIN="$(CURDIR)/bin/parley" npm run test:e2e); done
	$(MAKE) test-firefox
	$(MAKE) fuzz FUZZTIME=5m
	$(MAKE) quality

quality: build parley-bench ## calls on bad networks, with Chromium and Firefox, into bin/quality.html; fails below a bar
	@.ci/setup firefox
	bin/parley-bench quality --serve --binary bin/parley --browsers --html bin/quality.html --json bin/quality.json

lint: ## gofmt, go vet, staticcheck, import rules, tsc, comments of exported names
	@.ci/lint $(STATICCHECK)

bench: ## Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME (3s)
	@.ci/fuzz $(FUZZTIME)

web: ## build the call page and the SDKs into web/dist, which is committed
	cd web && npm run build

web-fresh: ## fail when web/dist is not what its sources give
	@.ci/web-fresh

package: ## the npm package @parleyrtc/web, into bin/
	@mkdir -p bin
	cd web && npm run --silent package && npm pack --silent --pack-destination ../bin ./package

api-docs: ## the API of the JavaScript SDKs as HTML, into bin/api-docs
	cd web && npm run --silent api-docs
	@echo "open bin/api-docs/index.html"

docker: ## build the container image
	docker build --build-arg VERSION=$(VERSION) -t parley:$(VERSION) .

clean: ## remove what was built or fetched
	rm -rf bin .cache web/node_modules
