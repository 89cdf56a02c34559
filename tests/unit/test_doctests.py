"""The examples in docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import vhsbatch

MODULES = sorted(module.name for module in pkgutil.walk_packages(vhsbatch.__path__, "vhsbatch."))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
