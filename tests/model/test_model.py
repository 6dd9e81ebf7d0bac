"""The engine against its models, with the number of cases that proof.py tells."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import proof  # noqa: E402

AMOUNT = proof.QUICK if os.environ.get("PXS_QUICK") else proof.USUAL


@pytest.mark.parametrize("part", [part for part, n in proof.AMOUNTS.items() if n[AMOUNT]])
def test_no_difference(part):
    print(f"PXS_SEED={proof.SEED}")
    proof.all_of(part, proof.AMOUNTS[part][AMOUNT])
