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


_WIDEN = "Keep what was accepted before, or publish the narrower shape as a new subject that consumers move to."

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
            "The reader lists the values it accepts; the writer may send others.",
            "List every value that the writer may send, or leave the values open.",
        ),
        Rule(
            "const-changed",
            "The reader accepts one other value only.",
            "Accept both values with an enum.",
        ),
        Rule(
            "const-added",
            "The reader accepts one value only; the writer may send others.",
            "Accept with an enum whatever the writer may send.",
        ),
        Rule(
            "minimum-raised",
            "The writer may send a number below the reader's minimum.",
            _WIDEN,
        ),
        Rule(
            "minimum-added",
            "The reader has a minimum; the writer may send a smaller number.",
            _WIDEN,
        ),
        Rule(
            "maximum-lowered",
            "The writer may send a number above the reader's maximum.",
            _WIDEN,
        ),
        Rule(
            "maximum-added",
            "The reader has a maximum; the writer may send a larger number.",
            _WIDEN,
        ),
        Rule(
            "multiple-of-changed",
            "The writer may send a number that is no multiple of what the reader asks for.",
            "Ask for a divisor of the writer's multipleOf.",
        ),
        Rule(
            "multiple-of-added",
            "The reader asks for multiples of a number; the writer may send others.",
            _WIDEN,
        ),
        Rule(
            "min-length-raised",
            "The writer may send a shorter string than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "min-length-added",
            "The reader asks for a minimal length; the writer may send a shorter string.",
            _WIDEN,
        ),
        Rule(
            "max-length-lowered",
            "The writer may send a longer string than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "max-length-added",
            "The reader has a maximal length; the writer may send a longer string.",
            _WIDEN,
        ),
        Rule(
            "pattern-changed",
            "The writer may send a string that the reader's pattern does not match.",
            "Widen the reader's pattern so that it matches whatever the writer's does.",
        ),
        Rule(
            "pattern-added",
            "The reader asks for a pattern; the writer may send other strings.",
            _WIDEN,
        ),
        Rule(
            "format-changed",
            "The writer may send a string that does not have the reader's format.",
            "Keep the old format, or accept both with anyOf.",
        ),
        Rule(
            "format-added",
            "The reader asks for a format; the writer may send other strings.",
            _WIDEN,
        ),
        Rule(
            "content-changed",
            "The reader asks for an encoding or media type that the writer does not promise.",
            _WIDEN,
        ),
        Rule(
            "items-narrowed",
            "The writer may send an item that the reader does not accept.",
            _WIDEN,
        ),
        Rule(
            "items-added",
            "The reader says what items must be; the writer may send others.",
            _WIDEN,
        ),
        Rule(
            "min-items-raised",
            "The writer may send fewer items than the reader asks for.",
            _WIDEN,
        ),
        Rule(
            "min-items-added",
            "The reader asks for a minimal number of items; the writer may send fewer.",
            _WIDEN,
        ),
        Rule(
            "max-items-lowered",
            "The writer may send more items than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "max-items-added",
            "The reader has a maximal number of items; the writer may send more.",
            _WIDEN,
        ),
        Rule(
            "unique-items-added",
            "The reader asks that no two items be equal; the writer may send equal ones.",
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
            ("The reader says what a property must be; the writer leaves it open and may send anything there."),
            "Declare the property in the writer as well, or close the writer's schema.",
        ),
        Rule(
            "property-removed",
            "The reader is closed and does not declare a property that the writer may send.",
            "Keep the property in the reader, or let it accept additional properties.",
        ),
        Rule(
            "additional-properties-closed",
            "The reader accepts no undeclared property; the writer may send some.",
            "Let the reader accept additional properties.",
        ),
        Rule(
            "additional-properties-narrowed",
            "The reader says what undeclared properties must be; the writer may send others.",
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
            "The writer may send fewer properties than the reader asks for.",
            _WIDEN,
        ),
        Rule(
            "max-properties-lowered",
            "The writer may send more properties than the reader accepts.",
            _WIDEN,
        ),
        Rule(
            "dependency-added",
            "The reader asks for something whenever a property is there; the writer does not promise it.",
            "Make what depends on the property optional in the reader.",
        ),
        Rule(
            "unevaluated-closed",
            "The reader rejects what no part of its schema speaks of; the writer may send it.",
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
            "Use anyOf, or tell the alternatives apart by a property with a const.",
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
            "Replace the schema false by what the reader accepts.",
        ),
        Rule(
            "not-included",
            "The writer may send what the reader rejects.",
            _WIDEN,
        ),
    )
}
