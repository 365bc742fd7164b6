# Two commands do all the set-up on a fresh Debian 12 machine with Swift: `make demo` and `make test`. Both share one debug build.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-airflow test test-fast test-cluster format lint clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install the Debian packages that the build and the demo need
	@hack/setup

build: setup ## Build the gateway and the built-in engine (debug)
	@hack/build

demo: build ## Submit a workflow to the built-in engine and watch it succeed
	@hack/demo

demo-airflow: build ## The same on a real Apache Airflow from PyPI
	@hack/demo-airflow

test: setup ## All tests: unit, in process, real kubectl, real engines
	@hack/test

test-fast: setup ## Unit tests, the router in process, and kubectl on the built-in engine
	@hack/test --fast

test-cluster: ## Behind a real kube-apiserver, if KUBEBUILDER_ASSETS names a folder with one
	@hack/test-cluster

format: ## Format our Swift sources
	@swift format --in-place --recursive --parallel Sources Tests adapters Package.swift

lint: ## Check the format and the scripts
	@swift format lint --strict --recursive --parallel Sources Tests adapters Package.swift

clean: ## Remove the build folder
	@rm -rf .build
