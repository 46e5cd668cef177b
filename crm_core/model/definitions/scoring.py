"""The forms of scoring: how a record gets its grade, and what the sales of clients tell of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from crm_core.model.definitions.base import Body, Delay, Expression, Name, Slug
from crm_core.model.expressions import compiled
from crm_core.wording import Sentence

# A letter or a whole grade, as it stands in a title: no brackets, or it could not be told from the title again.
GradeText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20, pattern=r"^[^\[\]]*$")]
Points = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

# What the daily run knows of a client beside their custom fields.
WORKED_OUT = ("status", "abc", "xyz", "r", "f", "m")


def _formula(text: str) -> str:
    if text:
        compiled(text)
    return text


class Part(Body):
    """What one field adds to a grade or a score: by the value that was chosen its letter, or its points times `weight`.
    Of a flag the values are `true` and `false`; of a list of several all that were chosen add their points."""

    field: Slug
    letters: Annotated[dict[Name, GradeText], Field(max_length=100)] = {}
    points: Annotated[dict[Name, Points], Field(max_length=100)] = {}
    weight: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1


class Step(Body):
    """From so many points on it is this grade."""

    at_least: Points
    grade: Annotated[GradeText, StringConstraints(min_length=1)]


class GradeBody(Body):
    """How records of one kind (`of`: lead, deal, contact, company or a custom type) get their grade.

    Without `steps` and `formula` the letters of all parts stand one behind the other («ААА»), `unknown` where nothing
    was chosen; without an `unknown` there is no grade until everything was. With `steps` the points are added up, and
    the highest step that they reach is the grade. A `formula` gives the grade as text. `in_title` writes it before the
    title: «[ААА] Окна для офиса». Contacts and companies, which have no grade of their own, keep it in the field
    `into`.
    """

    of: Slug
    parts: Annotated[list[Part], Field(max_length=50)] = []
    unknown: GradeText = ""
    steps: Annotated[list[Step], Field(max_length=50)] = []
    formula: Annotated[Expression, AfterValidator(_formula)] = ""
    in_title: bool = True
    into: Slug = "grade"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.formula and (self.steps or self.parts):
            raise ValueError(Sentence("formula: it is the grade already, leave out parts and steps"))
        if not self.formula and not self.parts:
            raise ValueError(Sentence("parts: name the fields that make the grade, or give a formula"))
        if self.steps:
            without = [each.field for each in self.parts if not each.points]
        else:
            without = [each.field for each in self.parts if not each.letters]
        if without and not self.formula:
            what = "points" if self.steps else "letters"
            raise ValueError(Sentence("parts: «{without}» has no {what}", without=without[0], what=what))
        return self


class ClientsBody(Body):
    """What is worked out of every client's sales once a day at `hour` (of the office's zone).

    An order is a day on which a client bought for more than they gave back. Status: «потенциальный» never bought; with
    fewer than `regular_orders` orders «разовый свежий» where the last is at most `fresh_within` old, else «разовый
    старый»; with more «постоянный» where the last is at most `gone_after` old, else «ушедший».

    Of the last year, in `currency`: ABC by revenue: A the clients that bring the first `abc_a` of it, B those up to
    `abc_b`, C the rest. XYZ by how evenly they buy: standard deviation of the revenue of months (of 30 days, since the
    first sale, twelve at most) divided by its mean: X up to `xyz_x`, Y up to `xyz_y`, Z above; none before three
    months. RFM: fifths of the buyers, 5 the best, by the last order, the number of orders, the revenue; equals are in
    the same fifth.

    A need is what was bought at least three times: it is due an average interval after the last time; an earlier
    forecast came true where the next purchase came within `need_tolerance` of the interval (and three days) of it.

    `relation` and `attraction` are two axes from 0 to 100: the points of their parts as a share of the most that there
    could be. Beside list and flag fields of contacts a part may name what is worked out: status, abc, xyz, r, f, m.
    """

    hour: Annotated[int, Field(ge=0, le=23)] = 4
    fresh_within: Delay = timedelta(days=90)
    gone_after: Delay = timedelta(days=180)
    regular_orders: Annotated[int, Field(ge=2, le=100)] = 2
    abc_a: Share = 0.8
    abc_b: Share = 0.95
    xyz_x: Annotated[float, Field(gt=0, le=10)] = 0.25
    xyz_y: Annotated[float, Field(gt=0, le=10)] = 0.5
    need_tolerance: Share = 0.25
    currency: Currency = "RUB"
    relation: Annotated[list[Part], Field(max_length=20)] = []
    attraction: Annotated[list[Part], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.abc_a >= self.abc_b:
            raise ValueError(Sentence("abc_b: more than abc_a"))
        if self.xyz_x >= self.xyz_y:
            raise ValueError(Sentence("xyz_y: more than xyz_x"))
        for name, parts in (("relation", self.relation), ("attraction", self.attraction)):
            for each in parts:
                if not each.points or max(each.points.values()) <= 0:
                    raise ValueError(
                        Sentence("{name}: «{field}» gives no points to anything", name=name, field=each.field)
                    )
        return self


class ScoringBody(Body):
    """A scoring: either how records get their `grade`, or what is worked out of the sales of all `clients` (one such in
    an office; without any the usual values hold)."""

    grade: GradeBody | None = None
    clients: ClientsBody | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.grade is None) == (self.clients is None):
            raise ValueError(Sentence("grade: give either «grade» or «clients»"))
        return self
