"""The tools are there and are the ones the other tests count on."""

import pytest
from tools import run


@pytest.mark.parametrize(
    ("command", "version"),
    [
        (["helm", "version", "--short"], "v4."),
        (["kubectl", "version", "--client"], "v1."),
        (["promtool", "--version"], "promtool, version"),
        (["docker-compose", "version"], "v5."),
        (["readme-generator", "--version"], "Version:"),
        (["kubernetes-validate", "--version"], "1."),
        (["yamllint", "--version"], "yamllint"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_answers_with_its_version(command, version):
    ended = run(*command)
    assert version in ended.stdout + ended.stderr
