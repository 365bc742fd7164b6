"""Every rule has a test or a reason."""

import pytest
import rules

pytestmark = pytest.mark.skipif(not rules.WIRE.exists(), reason="the wire document is not beside the repository (../shared/kubernetes-wire.md)")


def test_every_rule_has_a_test_or_a_reason():
    assert [rule for rule in rules.document() if rule not in rules.tests() and rule not in rules.elsewhere()] == []


def test_no_test_is_named_after_a_rule_that_there_is_not():
    known = set(rules.document())
    assert set(rules.tests()) <= known and set(rules.elsewhere()) <= known
    assert not set(rules.tests()) & set(rules.elsewhere()), "a rule that is tested needs no reason"


def test_every_test_says_what_it_tests():
    assert [name for found in rules.tests().values() for _, name, doc in found if not doc] == []


def test_the_table_is_up_to_date():
    assert rules.TABLE.read_text() == rules.table(), "run python Tests/EndToEnd/conformance/rules.py"
