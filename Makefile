PYTHON ?= python3
VENV := .venv
TEST_VENV := .venv-test

.PHONY: demo test bench bench-quick gallery lock clean

demo: $(VENV)/ready
	$(VENV)/bin/xlcalc demo -o demo

test: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy xlcalc workbooks udfs macros_bridge
	$(TEST_VENV)/bin/xlcalc packs check
	$(TEST_VENV)/bin/pytest -n auto --dist loadfile

bench: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python -m tests.benchmarks

# The same with few files: printed, not written.
bench-quick: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python -m tests.benchmarks --quick

$(VENV)/ready: requirements/base.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "需要 Python 3.11 或更高版本")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements/base.txt
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(TEST_VENV)/ready: requirements/test.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "需要 Python 3.11 或更高版本")'
	$(PYTHON) -m venv $(TEST_VENV)
	$(TEST_VENV)/bin/pip install --quiet --require-hashes -r requirements/test.txt
	$(TEST_VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Draws docs/gallery anew; needs LibreOffice, see tests/install-libreoffice.sh.
gallery: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python tests/gallery.py

# Renews the lock files; needs uv. excel.txt is what the offline folder for Windows carries.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		requirements/build.in pyproject.toml -o requirements/base.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		requirements/build.in pyproject.toml --extra excel \
		--constraint requirements/base.txt -o requirements/excel.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		requirements/build.in pyproject.toml --all-extras --group test -o requirements/test.txt

clean:
	rm -rf $(VENV) $(TEST_VENV) demo
