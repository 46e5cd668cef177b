"""Tunnels between pipelines: a card is copied, or moves over, and what is known of it goes along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from crm_core.errors import Conflict
from crm_core.messages import EntryKind
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import AttachmentRecord, DealRecord
from crm_core.model.selling import LineItemRecord, PaymentKind, PaymentRecord
from crm_core.services.cards.pipelines import actor, beginning, demand_access, named_pipeline, named_stage, place_of
from crm_core.services.cards.stages import BY_ITSELF, put_on, tell
from crm_core.services.clients.tagging import joined_tags
from crm_core.services.custom.fields import carried
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase

# Copies of copies within a day: more than this is a circle of rules, not work.
_LONGEST_LINE = 8
_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Along:
    """What goes along with a copy besides fields, contact, company, tags, manager and source. With `debt` its amount is
    what is still to be paid, and the instalments and promises that are open go over to it."""

    items: bool = False
    files: bool = True
    links: bool = True
    title: str | None = None
    debt: bool = False


PLAIN = Along()


def copy(
    desk: Desk,
    deal: DealRecord,
    pipeline: Pipeline | str,
    stage: Stage | str | None = None,
    *,
    by_person: bool = False,
    along: Along = PLAIN,
) -> DealRecord:
    """A copy of a card in a pipeline (itself or its name), on a stage (its first one); the copy knows its source.

    Raises InvalidInput for a pipeline or a stage that is not there, NotFound where a person does not work with it,
    Conflict where the card goes in a circle.
    """
    target, place = _goal(desk, deal, pipeline, stage, by_person=by_person)
    through = _no_circle(desk, deal, target)
    made = DealRecord(
        id=desk.work.next_id(),
        contact_id=deal.contact_id,
        pipeline_id=target.id,
        stage_id=place.id,
        title=along.title or deal.title,
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        amount=deal.amount - deal.paid if along.debt else deal.amount,
        currency=deal.currency,
        manager=deal.manager,
        source=deal.source,
        fields=carried(desk, target.record.type, deal.fields, deal.type),
        tags=joined_tags(desk, target.record.type, (), deal.tags),
        type=target.record.type,
        company_id=deal.company_id,
        lead_id=deal.lead_id,
        source_id=deal.id,
        grade=deal.grade,
        utm=dict(deal.utm),
    )
    made = put_on(desk, made, target, place, by_person=by_person)
    desk.moves.through[made.id] = through
    if along.links:
        _copy_links(desk, deal, made)
    if along.items:
        _copy_items(desk, deal, made)
    if along.debt:
        _hand_over_debt(desk, deal, made)
    _say_copied(desk, deal, made, target, place, by_person=by_person, files=along.files)
    data = {"id": made.id, "contact_id": made.contact_id, "type": made.type, "source_id": deal.id}
    desk.emit("deal.copied", made.id, {**data, "pipeline": target.name, "stage": place.name})
    return made


def move_over(
    desk: Desk,
    deal: DealRecord,
    pipeline: Pipeline | str,
    stage: Stage | str | None = None,
    *,
    by_person: bool = False,
    reason: str | None = None,
) -> DealRecord:
    """Move a card itself to another pipeline, with all that belongs to it; raises what `copy` raises."""
    target, place = _goal(desk, deal, pipeline, stage, by_person=by_person)
    if target.id == deal.pipeline_id:
        raise Conflict("the deal is in pipeline «{target}» already: move it to a stage", target=target.name)
    through = _no_circle(desk, deal, target)
    kind = target.record.type
    fields, tags = carried(desk, kind, deal.fields, deal.type), joined_tags(desk, kind, (), deal.tags)
    along = deal._replace(fields=fields, tags=tags)
    moved = put_on(desk, along, target, place, by_person=by_person, reason=reason)
    desk.moves.through[deal.id] = through
    text = desk.say(Phrase.CARD_MOVED_OVER, pipeline=target.name, stage=place.name)
    tell(desk, moved, text, by_person=by_person)
    return moved


def _goal(
    desk: Desk, deal: DealRecord, pipeline: Pipeline | str, stage: Stage | str | None, *, by_person: bool
) -> tuple[Pipeline, Stage]:
    if by_person:
        demand_access(desk, place_of(desk, deal.stage_id)[0], deal)
    if isinstance(pipeline, str):
        pipeline = named_pipeline(desk, pipeline, user=actor(desk), everybody=not by_person)
    if pipeline.record.archived:
        raise Conflict(desk.say(Phrase.PIPELINE_ARCHIVED, pipeline=pipeline.name))
    if stage is None:
        return pipeline, pipeline.first or beginning(desk, pipeline.name)[1]
    return pipeline, named_stage(pipeline, stage) if isinstance(stage, str) else stage


def _no_circle(desk: Desk, deal: DealRecord, target: Pipeline) -> tuple[int, ...]:
    """The pipelines through which the card came in this transaction; raises Conflict where it goes in a circle."""
    through = desk.moves.through.get(deal.id, ())
    line = desk.work.line_of(deal.source_id, desk.now - _WITHIN, _LONGEST_LINE) if deal.source_id is not None else 0
    if target.id in through or line >= _LONGEST_LINE:
        raise Conflict(desk.say(Phrase.TUNNEL_LOOP, pipeline=target.name))
    return (*through, deal.pipeline_id)


def _copy_links(desk: Desk, deal: DealRecord, made: DealRecord) -> None:
    for link in desk.work.links_of(("deal", deal.type), deal.id):
        ends = link._replace(id=desk.work.next_id(), created_at=desk.now, author=desk.work.author or BY_ITSELF)
        if link.from_id == deal.id:
            desk.work.put(ends._replace(from_id=made.id, from_kind=_kind(link.from_kind, made)))
        else:
            desk.work.put(ends._replace(to_id=made.id, to_kind=_kind(link.to_kind, made)))


def _kind(known: str, made: DealRecord) -> str:
    return known if known == "deal" else made.type


def _copy_items(desk: Desk, deal: DealRecord, made: DealRecord) -> None:
    for item in desk.work.related(LineItemRecord, "deal_id", [deal.id]):
        desk.work.put(item._replace(id=desk.work.next_id(), deal_id=made.id))


def _hand_over_debt(desk: Desk, deal: DealRecord, made: DealRecord) -> None:
    """The open instalments and promises of a card become its copy's; of one that is partly covered, the rest."""
    ours = desk.work.related(PaymentRecord, "deal_id", [deal.id])
    open_ones = [each for each in ours if each.kind is not PaymentKind.RECEIVED and each.settled_at is None]
    due = sorted((each for each in open_ones if each.deleted_at is None), key=lambda each: (each.due_on or "", each.id))
    planned = [each for each in due if each.kind is PaymentKind.PLANNED]
    covered = max(sum(each.amount for each in planned) - made.amount, 0)
    for each in due:
        part = min(covered, each.amount - 1) if each.kind is PaymentKind.PLANNED else 0
        covered -= part
        desk.work.put(each._replace(deal_id=made.id, amount=each.amount - part))


def _say_copied(
    desk: Desk, deal: DealRecord, made: DealRecord, target: Pipeline, place: Stage, *, by_person: bool, files: bool
) -> None:
    """The copy's own beginning on the timeline; the files of the first card hang there, too."""
    if made.contact_id is None:
        return
    text = desk.say(Phrase.CARD_COPIED, title=deal.title, pipeline=target.name, stage=place.name)
    author = desk.work.author or BY_ITSELF
    entry = desk.note(made.contact_id, text, kind=EntryKind.STAGE, author=author, by_person=by_person, deal_id=made.id)
    if not files:
        return
    for position, file in enumerate(desk.work.files_of_deal(made.contact_id, deal.id)):
        copied: AttachmentRecord = file._replace(
            id=desk.work.next_id(), entry_id=entry.id, position=position, remote_id=None, cid=""
        )
        desk.work.put(copied)
