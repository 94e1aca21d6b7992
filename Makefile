# Weir's front door. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# DuckDB is linked as a static library, so a C compiler is needed once.
export CGO_ENABLED = 1
GO ?= go
BIN := bin/weir
WORKER := bin/weir-pipeline
# Packages that link Temporal's server or DuckDB are slow to build; -race is for
# the others.
RACE := ./ ./project/... ./policies/... ./connectors/... ./activities/... ./workflows/... ./pipelines/...

# Programs of others for tests on a cluster.
CLUSTER := .cache/cluster
MINIO := v0.0.0-20260212201848-7aac2a2c5b7c

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

check-tools:
	@command -v $(GO) >/dev/null || { echo "weir: Go is missing; install Go 1.26 or newer from https://go.dev/dl"; exit 1; }
	@command -v $${CC:-cc} >/dev/null || command -v gcc >/dev/null || { echo "weir: a C compiler is missing (DuckDB needs it); install gcc, for example: apt-get install build-essential"; exit 1; }
	@$(GO) version | awk '{split(substr($$3,3),v,"."); if (v[1]<1 || (v[1]==1 && v[2]<26)) {print "weir: Go 1.26 or newer is needed, this is " $$3; exit 1}}'

# A cluster's worker has to be of the same build as weir: both say this digest of the
# sources (package pipelines, Build).
BUILD_ID = $(shell git ls-files -co --exclude-standard -z '*.go' '*.rego' '*.json' go.mod go.sum | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-16)
LDFLAGS = -X github.com/weir-cdp/weir/pipelines.buildID=$(BUILD_ID)

build: check-tools ## build bin/weir
	$(GO) build -ldflags "$(LDFLAGS)" -o $(BIN) ./cmd/weir

# Not inlined: Arrow's kernels and Beam's registrations, which no row passes through and
# which inlining makes 5 MB larger.
SMALL := -gcflags=github.com/apache/arrow-go/v18/arrow/compute/internal/kernels=-l -gcflags=github.com/apache/beam/sdks/v2/go/pkg/beam/register=-l

build-pipeline: check-tools ## build bin/weir-pipeline, a cluster's worker: static and stripped
	CGO_ENABLED=0 $(GO) build -trimpath $(SMALL) -ldflags "-s -w $(LDFLAGS)" -o $(WORKER) ./cmd/weir-pipeline
	@test $$(wc -c <$(WORKER)) -lt 80000000 || { echo "weir: $(WORKER) is larger than 80 MB"; exit 1; }

demo: build ## the main job on the embedded parts: a generated shop, all stages, three changes
	$(GO) run ./examples/shop/demo -weir $(BIN) -dir demo

test: check-tools ## all tests that a bare machine can run
	$(GO) vet ./...
	WEIR_ANY_PORTS=1 WEIR_SOURCES=$$(git ls-files -z '*.go' '*.rego' go.sum | xargs -0 cat | cksum | tr ' ' -) $(GO) test -timeout 30m ./...
	$(MAKE) test-deploy

# Go's cache of results does not see files outside a module.
test-deploy: ## Dockerfiles, compose file and manifests, by the libraries that read them (a module of its own)
	cd deploy/check && CGO_ENABLED=0 $(GO) test -count=1 ./...

race: check-tools ## the light packages under the race detector
	$(GO) test -race -timeout 20m $(RACE)

lint: ## golangci-lint (pinned) and workflowcheck
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0 run ./...
	$(GO) run go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0 ./workflows/...

fmt: ## gofmt all files
	gofmt -w $$(git ls-files '*.go')

generate: build ## documents made from the code: tables, connectors
	$(BIN) docs tables > docs/tables.md
	$(BIN) docs connectors > docs/connectors.md

verify: ## what CI runs, and that fmt and generate leave no difference
	$(MAKE) fmt generate
	git diff --exit-code
	$(MAKE) lint test

replay-record: ## record the workflows' histories anew (only for a released change)
	WEIR_REPLAY_RECORD=1 $(GO) test ./deploy/embedded -run TestRecordHistories -count=1

readers-env: ## the foreign readers' Python environment, for tests (needs python3)
	python3 -m venv .cache/readers && .cache/readers/bin/pip install -q -r test/readers/requirements.txt

spark-env: ## Spark for the same tests, about 500 MB (needs python3, curl and Java 8, 11 or 17)
	@command -v java >/dev/null && command -v curl >/dev/null || { echo "weir: install a JDK (openjdk-17-jre-headless) and curl"; exit 1; }
	python3 -m venv .cache/spark && .cache/spark/bin/pip install -q -r test/readers/requirements-spark.txt
	mkdir -p .cache/spark/jars && for jar in $$(cat test/readers/jars.txt); do curl -sSfL --create-dirs -o .cache/spark/jars/$${jar##*/} https://repo1.maven.org/maven2/$$jar || exit 1; done

cluster-env: check-tools ## what tests on a cluster need: MinIO, an Iceberg REST catalog; 250 MB (needs Java 17 and Maven)
	@command -v java >/dev/null && command -v mvn >/dev/null || { echo "weir: install a JRE 17 and Maven, for example: apt-get install openjdk-17-jre-headless maven"; exit 1; }
	mkdir -p $(CLUSTER)/bin
	[ -x $(CLUSTER)/bin/minio ] || GOBIN=$(abspath $(CLUSTER))/bin CGO_ENABLED=0 $(GO) install github.com/minio/minio@$(MINIO)
	[ -e $(CLUSTER)/iceberg-rest/.whole ] || { mvn -q -B -f test/clustertest/catalog-pom.xml dependency:copy-dependencies -DoutputDirectory=$(abspath $(CLUSTER))/iceberg-rest && touch $(CLUSTER)/iceberg-rest/.whole; }

flink-env: ## what tests on Flink need: its jars and Beam's job server, 400 MB (needs a JDK 17, Maven and python3)
	deploy/flink/install.sh .cache/flink

test-flink: build build-pipeline ## pipelines and a project on a real Flink of four processes
	WEIR_ANY_PORTS=1 WEIR_BIN=$(CURDIR)/$(BIN) WEIR_PIPELINE_BIN=$(CURDIR)/$(WORKER) $(GO) test -count=1 -timeout 15m ./test/flink

bench-env: ## the peers' Python environment, about 700 MB (needs python3 and ../shared/bench)
	python3 -m venv .cache/bench && .cache/bench/bin/pip install -q -r ../shared/bench/requirements.txt
	python3 -m venv .cache/bench/splink5 && .cache/bench/splink5/bin/pip install -q splink==5.0.0 duckdb==2.0.0 numpy==2.4.6 pyarrow==26.0.1

bench: build build-pipeline ## speeds, beside the peers that are installed; BENCH="-scale 1" is the full size
	$(GO) run ./test/bench -weir $(BIN) -doc docs/bench.md $(BENCH)

chaos: build ## fifty kills of the demo, written to docs/chaos.md; KILLS=10 for fewer
	WEIR_CHAOS=$(or $(KILLS),50) WEIR_BIN=$(CURDIR)/$(BIN) WEIR_CHAOS_DOC=$(CURDIR)/docs/chaos.md $(GO) test ./test/chaos -run TestKills -count=1 -timeout 90m -v

chaos-cluster: build build-pipeline cluster-env flink-env ## thirty kills of a cluster's parts, written to docs/chaos-cluster.md; KILLS=10 for fewer
	WEIR_ANY_PORTS=1 WEIR_REQUIRE_CLUSTER=1 WEIR_REQUIRE_FLINK=1 WEIR_CHAOS_CLUSTER=$(or $(KILLS),30) WEIR_BIN=$(CURDIR)/$(BIN) WEIR_PIPELINE_BIN=$(CURDIR)/$(WORKER) WEIR_CHAOS_CLUSTER_DOC=$(CURDIR)/docs/chaos-cluster.md $(GO) test ./test/chaos -run TestClusterKills -count=1 -timeout 90m -v

.PHONY: help check-tools build build-pipeline flink-env test-flink demo test test-deploy race lint fmt generate verify replay-record readers-env spark-env cluster-env bench-env bench chaos chaos-cluster
