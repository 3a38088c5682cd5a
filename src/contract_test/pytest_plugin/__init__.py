"""The pytest plugin behind `pytest --contracts`.

It offers the markers `consumes` and `produces`, the fixtures `message`, `envelope`, `cause`, `recorded`, `emits`,
`acknowledge` and `contract_case`, and the options that `pytest --help` lists under "contract tests".
"""
