"""The incompatibilities by name.

What each means, and what to do about it. A new rule is one row here and one test case.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of incompatibility. `explanation` and `fix` are for the person who has to deal with it."""

    id: str
    explanation: str
    fix: str


_WIDEN = "Accept what was accepted before, or publish the narrower schema as a new subject."

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "type-changed",
            "The reader expects another type.",
            "Add a new property of the new type and keep the old one until no writer sends it.",
        ),
        Rule(
            "type-narrowed",
            "The reader accepts fewer types than the writer may send.",
            "Keep the dropped type in the reader until no writer sends it.",
        ),
        Rule(
            "enum-value-removed",
            "The writer may send a value that the reader does not list.",
            "Keep the value in the reader's enum until no writer sends it.",
        ),
        Rule(
            "enum-added",
            "The reader accepts only the listed values, but the writer may send others.",
            "List every value that the writer may send, or remove the enum.",
        ),
        Rule(
            "const-changed",
            "The reader accepts only another value than the one that the writer sends.",
            "Accept both values with an enum.",
        ),
        Rule(
            "const-added",
            "The reader accepts only one value, but the writer may send others.",
            "Use an enum with every value that the writer may send.",
        ),
        Rule(
            "minimum-raised",
            "The writer may send a number below the reader's minimum.",
            _WIDEN,
        ),
        Rule(
            "minimum-added",
            "The reader has a minimum, but the writer may send a smaller number.",
            _WIDEN,
        ),
        Rule(
            "maximum-lowered",
            "The writer may send a number above the reader's maximum.",
            _WIDEN,
        ),
        Rule(
            "maximum-added",
            "The reader has a maximum, but the writer may send a larger number.",
            _WIDEN,
        ),
        Rule(
            "multiple-of-changed",
            "The writer may send a number that is not a multiple of the reader's multipleOf.",
            "Ask for a divisor of the writer's multipleOf.",
        ),
        Rule(
            "multiple-of-added",
            "The reader accepts only multiples of a number, but the writer may send others.",
            _WIDEN,
        ),
        Rule(
            "min-length-raised",
            "The writer may send a shorter string than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "min-length-added",
            "The reader has a minimal length, but the writer may send a shorter string.",
            _WIDEN,
        ),
        Rule(
            "max-length-lowered",
            "The writer may send a longer string than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "max-length-added",
            "The reader has a maximal length, but the writer may send a longer string.",
            _WIDEN,
        ),
        Rule(
            "pattern-changed",
            "The writer may send a string that the reader's pattern does not match.",
            "Widen the reader's pattern so that it matches every string that the writer may send.",
        ),
        Rule(
            "pattern-added",
            "The reader has a pattern, but the writer may send strings that do not match it.",
            _WIDEN,
        ),
        Rule(
            "format-changed",
            "The writer may send a string that does not have the reader's format.",
            "Keep the old format, or accept both with anyOf.",
        ),
        Rule(
            "format-added",
            "The reader has a format, but the writer may send strings without it.",
            _WIDEN,
        ),
        Rule(
            "items-narrowed",
            "The writer may send an item that the reader does not accept.",
            _WIDEN,
        ),
        Rule(
            "items-added",
            "The reader restricts the items of an array, but the writer may send others.",
            _WIDEN,
        ),
        Rule(
            "min-items-raised",
            "The writer may send fewer items than the reader requires.",
            _WIDEN,
        ),
        Rule(
            "min-items-added",
            "The reader has a minimal number of items, but the writer may send fewer.",
            _WIDEN,
        ),
        Rule(
            "max-items-lowered",
            "The writer may send more items than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "max-items-added",
            "The reader has a maximal number of items, but the writer may send more.",
            _WIDEN,
        ),
        Rule(
            "unique-items-added",
            "The reader requires unique items, but the writer may send equal ones.",
            "Let the reader drop duplicates instead of rejecting them.",
        ),
        Rule(
            "contains-changed",
            "The writer may send an array without the items that the reader looks for, or with too many.",
            _WIDEN,
        ),
        Rule(
            "required-property-added",
            "The reader requires a property that the writer may leave out.",
            "Make the property optional in the reader, with a default where it is absent.",
        ),
        Rule(
            "property-constrained",
            ("The reader restricts a property, but the writer does not declare it and may send any value."),
            "Declare the property in the writer as well, or close the writer's schema.",
        ),
        Rule(
            "property-removed",
            "The reader is closed and does not declare a property that the writer may send.",
            "Keep the property in the reader, or let it accept additional properties.",
        ),
        Rule(
            "property-added",
            "The writer may send a new property, but the reader is closed and does not declare it.",
            "Let the reader accept additional properties before a writer sends the new one.",
        ),
        Rule(
            "additional-properties-closed",
            "The reader accepts no undeclared properties, but the writer may send some.",
            "Let the reader accept additional properties.",
        ),
        Rule(
            "additional-properties-narrowed",
            "The reader restricts undeclared properties, but the writer may send others.",
            _WIDEN,
        ),
        Rule(
            "pattern-properties-changed",
            (
                "The writer may send a property whose name matches a pattern of the reader with a value "
                "that the reader rejects."
            ),
            _WIDEN,
        ),
        Rule(
            "property-names-narrowed",
            "The writer may send a property name that the reader does not accept.",
            _WIDEN,
        ),
        Rule(
            "min-properties-raised",
            "The writer may send fewer properties than the reader requires.",
            _WIDEN,
        ),
        Rule(
            "max-properties-lowered",
            "The writer may send more properties than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "dependency-added",
            "If a property is present, the reader requires something that the writer may leave out.",
            "Make what depends on the property optional in the reader.",
        ),
        Rule(
            "unevaluated-closed",
            "The reader rejects properties or items that its schema does not evaluate, but the writer may send them.",
            "Declare it in the reader, or drop the unevaluated keyword.",
        ),
        Rule(
            "alternative-removed",
            "The writer may send a message that fits none of the reader's alternatives.",
            "Keep the alternative in the reader until no writer uses it.",
        ),
        Rule(
            "alternatives-overlap",
            (
                "The writer may send a message that fits more than one of the reader's alternatives, of "
                "which exactly one must fit."
            ),
            "Use anyOf, or give each alternative a property with its own const.",
        ),
        Rule(
            "exclusion-widened",
            "The reader excludes what the writer may send.",
            _WIDEN,
        ),
        Rule(
            "condition-narrowed",
            "The reader's if, then and else reject what the writer may send.",
            _WIDEN,
        ),
        Rule(
            "nothing-accepted",
            "The reader accepts nothing here.",
            "Replace the schema `false` by a schema of what the reader accepts.",
        ),
        Rule(
            "not-included",
            "The writer may send what the reader rejects.",
            _WIDEN,
        ),
    )
}
