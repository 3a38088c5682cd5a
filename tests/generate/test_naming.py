"""Names of fields: those that a module has taken are asked for, and not copied for each of its classes."""

from contract_test.generate.naming import attribute_names


class Taken:
    """Can be asked, and neither copied nor gone through."""

    def __contains__(self, name: object) -> bool:
        return name in {"id", "name_2"}


def test_names_that_are_taken_are_asked_for_and_not_copied():
    assert attribute_names(["id", "na me", "name"], Taken()) == {
        "id": "id_",
        "na me": "na_me",
        "name": "name",
    }
