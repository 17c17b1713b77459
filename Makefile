# The commands that users and CI rely on. What each does in detail stands in the scripts it calls.

CONFIGURATION ?= Release

.PHONY: help build next-format test demo demo-down bench images crds format

help:
	@printf '%s\n' \
	  'make demo       the whole of it from nothing: on the reachable Kubernetes (KUBECONFIG or current context), else three members on loopback' \
	  'make demo-down  removes what demo left running' \
	  'make test       every test; the last line counts them' \
	  'make bench      the store beside etcd, in ratios (BENCH_ARGS="--quick" for a short run)' \
	  'make next-format  out/store-next/store, the other side of the tests of upgrades' \
	  'make build      out/store/store and out/operator/store-operator' \
	  'make images     out/images/store.tar and out/images/operator.tar' \
	  'make crds       crds/ and the chart'\''s copy, after a change of the API types' \
	  'make format     fails where the code is not formatted'

build:
	dotnet publish store/Store -c $(CONFIGURATION) --use-current-runtime --no-self-contained -o out/store -v q --nologo
	@rm -f out/store/librocksdb-jemalloc.so out/store/librocksdb-musl.so
	dotnet publish operator/Operator.Controller -c $(CONFIGURATION) --use-current-runtime --no-self-contained -o out/operator -v q --nologo

# The next version as far as its format on disk goes, for the tests of upgrades; objects of its own, so that it does not disturb the others.
next-format:
	dotnet publish store/Store -c $(CONFIGURATION) --use-current-runtime --no-self-contained -p:NextFormat=true -p:PublishReadyToRun=false --artifacts-path out/next-format -o out/store-next -v q --nologo

test: build next-format
	@.ci/test

demo:
	@.ci/demo up

demo-down:
	@.ci/demo down

bench: build
	dotnet run --project tests/Benchmarks -c $(CONFIGURATION) -- $(BENCH_ARGS)

images:
	@.ci/images

crds:
	dotnet run --project operator/Operator.Controller -- crds crds charts/store-operator/crd-bases

format:
	dotnet format Operator.sln --verify-no-changes
