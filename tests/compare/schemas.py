"""Random schemas, and random values near them: small domains, so that what differs is hit often."""

from functools import partial

from hypothesis import strategies as st

from contract_test import compare

compare_as_written = partial(compare, content_model="as-written", formats="annotation")
"""Exact inclusion, as JSON Schema has it."""

NAMES = ["a", "b", "c"]
PATTERNS = ["^a", "b$", "^[ab]+$", "^a?$", "[0-9]", "^(a|bc)*$", "^.$", "^$", "^[^a]*$", "^a{1,2}$", "^(?!a)"]
VALUES = [
    None,
    True,
    False,
    0,
    1,
    1.0,
    2,
    -1,
    0.5,
    "",
    "a",
    "b",
    "ab",
    "\n",
    [],
    [0],
    [False],
    [1, 2],
    {},
    {"a": 1},
]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]


def _some(**optional):
    """An object with any of these keywords."""
    return st.fixed_dictionaries({}, optional=optional)


def _types():
    return st.one_of(st.sampled_from(TYPES), st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True))


def _flat():
    count = st.integers(0, 3)
    return st.one_of(
        st.fixed_dictionaries({"type": _types()}),
        st.fixed_dictionaries({"enum": st.lists(st.sampled_from(VALUES), min_size=1, max_size=4)}),
        st.fixed_dictionaries({"const": st.sampled_from(VALUES)}),
        _some(
            type=st.sampled_from(["integer", "number"]),
            minimum=st.sampled_from([-1, 0, 0.5, 1, 2]),
            maximum=st.sampled_from([0, 1, 1.5, 2, 10]),
            exclusiveMinimum=st.sampled_from([-1, 0, 1]),
            exclusiveMaximum=st.sampled_from([1, 2, 3]),
            multipleOf=st.sampled_from([1, 2, 3, 0.5, 1.5, 0.1]),
        ),
        _some(type=st.just("string"), minLength=count, maxLength=count, pattern=st.sampled_from(PATTERNS)),
        st.sampled_from([True, False, {}, {"$ref": "#/$defs/x"}]),
    )


def _deeper(schemas):
    count, name = st.integers(0, 3), st.sampled_from(NAMES)
    several = st.lists(schemas, min_size=1, max_size=3)
    return st.one_of(
        _some(
            type=st.just("array"), items=schemas, prefixItems=st.lists(schemas, min_size=1, max_size=2), minItems=count,
            maxItems=count, uniqueItems=st.booleans(), contains=schemas, minContains=count, maxContains=count,
            unevaluatedItems=schemas,
        ),
        _some(
            type=st.just("object"), properties=st.dictionaries(name, schemas, max_size=3),
            required=st.lists(name, max_size=2, unique=True), additionalProperties=schemas,
            patternProperties=st.dictionaries(st.sampled_from(PATTERNS), schemas, max_size=2), propertyNames=schemas,
            minProperties=count, maxProperties=count, dependentSchemas=st.dictionaries(name, schemas, max_size=1),
            dependentRequired=st.dictionaries(name, st.lists(name, max_size=2, unique=True), max_size=1),
            unevaluatedProperties=schemas,
        ),
        _some(allOf=several, anyOf=several, oneOf=several),
        st.fixed_dictionaries({"not": schemas}),
        st.fixed_dictionaries({"if": schemas}, optional={"then": schemas, "else": schemas}),
    )  # fmt: skip


PARTS = st.recursive(_flat(), _deeper, max_leaves=6)


@st.composite
def schemas(draw):
    """A whole document; what it may refer to does not refer on in place."""
    root = draw(PARTS)
    if not isinstance(root, dict):
        return root
    return {**root, "$defs": {"x": draw(_flat().filter(lambda part: part != {"$ref": "#/$defs/x"}))}}


VALUES_NEAR = st.recursive(
    st.sampled_from([*VALUES, 3, 10, 1.5, "aa", "bc", "1", "zz", "abc"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*NAMES, "ab", "1", ""]), inner, max_size=3),
    ),
    max_leaves=5,
)
