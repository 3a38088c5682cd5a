"""The incompatibilities by name.

What each means, and what to do about it. A new rule is one row here and one test case.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of incompatibility. `explanation` and the advice are for the person who has to deal with it.

    A registered version cannot be changed, so the advice is about the newer one: `fix` where it is the reader
    (BACKWARD), `forward` where it is the writer (FORWARD). Without `forward`, `fix` is right in both directions. Rules
    are named by what changed from the writer to the reader. In FORWARD this is from the newer version to the older
    one, so a finding has the name `forward_id` there, which says what changed in the newer version.
    """

    id: str
    explanation: str
    fix: str
    forward: str = ""
    forward_id: str = ""

    def named(self, direction: str) -> str:
        """Return the name by what changed in the newer version."""
        return self.forward_id if direction == "FORWARD" and self.forward_id else self.id

    def advice(self, direction: str) -> str:
        """Return what to change in the newer version."""
        return self.forward if direction == "FORWARD" and self.forward else self.fix


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "type-changed",
            "The reader expects another type.",
            "Keep the old type, and send the new type in a new property.",
        ),
        Rule(
            "type-narrowed",
            "The reader accepts fewer types than the writer may send.",
            "Accept the dropped type until no service sends it.",
            "Allow only the types that the old version accepts, until every reader accepts the new one.",
            "type-widened",
        ),
        Rule(
            "enum-value-removed",
            "The writer may send a value that the reader does not list.",
            "Keep the value in the enum until no service sends it.",
            "Take the value out of the enum until every reader accepts it.",
            "enum-value-added",
        ),
        Rule(
            "enum-added",
            "The reader accepts only the listed values, but the writer may send others.",
            "Remove the enum, or list every value that the old version allows.",
            "Put the old version's enum back until every reader accepts other values.",
            "enum-removed",
        ),
        Rule(
            "const-changed",
            "The reader accepts only another value than the one that the writer sends.",
            "Accept both values with an enum until no service sends the old one.",
            "Keep the old value until every reader accepts the new one.",
        ),
        Rule(
            "const-added",
            "The reader accepts only one value, but the writer may send others.",
            "Remove the const, or use an enum with every value that the old version allows.",
            "Put the old version's const back until every reader accepts other values.",
            "const-removed",
        ),
        Rule(
            "minimum-raised",
            "The writer may send a number below the reader's minimum.",
            "Keep the lower minimum until no service sends smaller numbers.",
            "Raise the minimum to the old version's until every reader accepts smaller numbers.",
            "minimum-lowered",
        ),
        Rule(
            "minimum-added",
            "The reader has a minimum, but the writer may send a smaller number.",
            "Remove the minimum until no service sends smaller numbers.",
            "Put the old version's minimum back until every reader accepts smaller numbers.",
            "minimum-removed",
        ),
        Rule(
            "maximum-lowered",
            "The writer may send a number above the reader's maximum.",
            "Keep the higher maximum until no service sends larger numbers.",
            "Lower the maximum to the old version's until every reader accepts larger numbers.",
            "maximum-raised",
        ),
        Rule(
            "maximum-added",
            "The reader has a maximum, but the writer may send a larger number.",
            "Remove the maximum until no service sends larger numbers.",
            "Put the old version's maximum back until every reader accepts larger numbers.",
            "maximum-removed",
        ),
        Rule(
            "multiple-of-changed",
            "The writer may send a number that is not a multiple of the reader's multipleOf.",
            "Use a multipleOf that divides the old one.",
            "Use a multiple of the old version's multipleOf.",
        ),
        Rule(
            "multiple-of-added",
            "The reader accepts only multiples of a number, but the writer may send others.",
            "Remove multipleOf until no service sends other numbers.",
            "Put the old version's multipleOf back until every reader accepts other numbers.",
            "multiple-of-removed",
        ),
        Rule(
            "min-length-raised",
            "The writer may send a shorter string than the reader accepts.",
            "Keep the smaller minLength until no service sends shorter strings.",
            "Raise minLength to the old version's until every reader accepts shorter strings.",
            "min-length-lowered",
        ),
        Rule(
            "min-length-added",
            "The reader has a minimal length, but the writer may send a shorter string.",
            "Remove minLength until no service sends shorter strings.",
            "Put the old version's minLength back until every reader accepts shorter strings.",
            "min-length-removed",
        ),
        Rule(
            "max-length-lowered",
            "The writer may send a longer string than the reader accepts.",
            "Keep the larger maxLength until no service sends longer strings.",
            "Lower maxLength to the old version's until every reader accepts longer strings.",
            "max-length-raised",
        ),
        Rule(
            "max-length-added",
            "The reader has a maximal length, but the writer may send a longer string.",
            "Remove maxLength until no service sends longer strings.",
            "Put the old version's maxLength back until every reader accepts longer strings.",
            "max-length-removed",
        ),
        Rule(
            "pattern-changed",
            "The writer may send a string that the reader's pattern does not match.",
            "Use a pattern that also matches every string of the old one.",
            "Use a pattern that matches only strings of the old one.",
        ),
        Rule(
            "pattern-added",
            "The reader has a pattern, but the writer may send strings that do not match it.",
            "Remove the pattern until no service sends other strings.",
            "Put the old version's pattern back until every reader accepts other strings.",
            "pattern-removed",
        ),
        Rule(
            "format-changed",
            "The writer may send a string that does not have the reader's format.",
            "Accept both formats with anyOf until no service sends the old one.",
            "Keep the old format until every reader accepts the new one.",
        ),
        Rule(
            "format-added",
            "The reader has a format, but the writer may send strings without it.",
            "Remove the format until no service sends other strings.",
            "Put the old version's format back until every reader accepts other strings.",
            "format-removed",
        ),
        Rule(
            "items-narrowed",
            "The writer may send an item that the reader does not accept.",
            "Accept the items of the old version until no service sends them.",
            "Allow only the items that the old version accepts, until every reader accepts others.",
            "items-widened",
        ),
        Rule(
            "items-added",
            "The reader restricts the items of an array, but the writer may send others.",
            "Accept every item until no service sends others.",
            "Put the old version's schema of the items back until every reader accepts others.",
            "items-removed",
        ),
        Rule(
            "min-items-raised",
            "The writer may send fewer items than the reader requires.",
            "Keep the smaller minItems until no service sends shorter arrays.",
            "Raise minItems to the old version's until every reader accepts shorter arrays.",
            "min-items-lowered",
        ),
        Rule(
            "min-items-added",
            "The reader has a minimal number of items, but the writer may send fewer.",
            "Remove minItems until no service sends shorter arrays.",
            "Put the old version's minItems back until every reader accepts shorter arrays.",
            "min-items-removed",
        ),
        Rule(
            "max-items-lowered",
            "The writer may send more items than the reader accepts.",
            "Keep the larger maxItems until no service sends longer arrays.",
            "Lower maxItems to the old version's until every reader accepts longer arrays.",
            "max-items-raised",
        ),
        Rule(
            "max-items-added",
            "The reader has a maximal number of items, but the writer may send more.",
            "Remove maxItems until no service sends longer arrays.",
            "Put the old version's maxItems back until every reader accepts longer arrays.",
            "max-items-removed",
        ),
        Rule(
            "unique-items-added",
            "The reader requires unique items, but the writer may send equal ones.",
            "Remove uniqueItems, and let the readers drop duplicates.",
            "Put uniqueItems back until every reader accepts duplicates.",
            "unique-items-removed",
        ),
        Rule(
            "contains-changed",
            "The writer may send an array without the items that the reader looks for, or with too many.",
            "Ask for no other items than the old version does.",
            "Ask for at least the items that the old version asks for.",
        ),
        Rule(
            "required-property-added",
            "The reader requires a property that the writer may leave out.",
            "Make the property optional.",
            "Keep the property and make it required again, until every reader accepts messages without it.",
            "no-longer-required",
        ),
        Rule(
            "property-constrained",
            "The reader restricts a property, but the writer does not declare it and may send any value.",
            "Accept every value of the property, or use another name for it.",
            "Declare the property as the old version does.",
            "property-unconstrained",
        ),
        Rule(
            "property-removed",
            "The reader is closed and does not declare a property that the writer may send.",
            "Keep the property, or accept additional properties.",
            "Take the property out until every reader accepts it.",
        ),
        Rule(
            "property-added",
            "The writer may send a new property, but the reader is closed and does not declare it.",
            "Declare the property, or accept additional properties.",
            "Take the property out until every reader accepts it.",
        ),
        Rule(
            "additional-properties-closed",
            "The reader accepts no undeclared properties, but the writer may send some.",
            "Accept additional properties.",
            "Set additionalProperties to false again until every reader accepts others.",
            "additional-properties-opened",
        ),
        Rule(
            "additional-properties-narrowed",
            "The reader restricts undeclared properties, but the writer may send others.",
            "Accept the additional properties of the old version.",
            "Put the old version's schema of additional properties back until every reader accepts others.",
            "additional-properties-widened",
        ),
        Rule(
            "pattern-properties-changed",
            "The writer may send a property of this pattern with a value that the reader rejects.",
            "Accept the values that the old version allows for these names.",
            "Declare these names as the old version does.",
        ),
        Rule(
            "property-names-narrowed",
            "The writer may send a property name that the reader does not accept.",
            "Accept the names that the old version allows.",
            "Put the old version's propertyNames back until every reader accepts other names.",
            "property-names-widened",
        ),
        Rule(
            "min-properties-raised",
            "The writer may send fewer properties than the reader requires.",
            "Keep the smaller minProperties until no service sends fewer properties.",
            "Put the old version's minProperties back until every reader accepts fewer properties.",
            "min-properties-lowered",
        ),
        Rule(
            "max-properties-lowered",
            "The writer may send more properties than the reader accepts.",
            "Keep the larger maxProperties until no service sends more properties.",
            "Put the old version's maxProperties back until every reader accepts more properties.",
            "max-properties-raised",
        ),
        Rule(
            "dependency-added",
            "If a property is present, the reader requires something that the writer may leave out.",
            "Remove the dependency, or make what it asks for optional.",
            "Put the old version's dependency back until every reader accepts messages without it.",
            "dependency-removed",
        ),
        Rule(
            "unevaluated-closed",
            "The reader rejects properties or items that its schema does not evaluate, but the writer may send them.",
            "Declare what the old version may send, or remove the unevaluated keyword.",
            "Put the old version's unevaluated keyword back until every reader accepts others.",
            "unevaluated-opened",
        ),
        Rule(
            "alternative-removed",
            "The writer may send a message that fits none of the reader's alternatives.",
            "Keep the alternative until no service sends it.",
            "Take the alternative out until every reader accepts it.",
            "alternative-added",
        ),
        Rule(
            "alternatives-overlap",
            "The writer may send a message that fits several of the reader's alternatives, but only one may fit.",
            "Use anyOf, or give each alternative a property with its own const.",
            "Send only what one alternative of the old version matches.",
        ),
        Rule(
            "exclusion-widened",
            "The reader excludes what the writer may send.",
            "Exclude no more than the old version does.",
            "Exclude again what the old version excludes, until every reader accepts it.",
            "exclusion-narrowed",
        ),
        Rule(
            "condition-narrowed",
            "The reader's if, then and else reject what the writer may send.",
            "Ask for no more under this condition than the old version does.",
            "Put the old version's condition back until every reader accepts messages without it.",
            "condition-widened",
        ),
        Rule(
            "nothing-accepted",
            "The reader accepts nothing here.",
            "Replace the schema `false` by the old version's schema.",
            "Forbid it again with the schema `false` until every reader accepts it.",
            "something-accepted",
        ),
        Rule(
            "not-included",
            "The writer may send what the reader rejects.",
            "Accept what the old version allows.",
            "Allow only what the old version accepts.",
        ),
    )
}
