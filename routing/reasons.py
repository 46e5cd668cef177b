"""Decisions in words, Russian and English: for people who ask why a call rings whom it rings."""

from __future__ import annotations

from crm_core.messages import DeviceState, RouteAction, RouteDecision, RouteStage, TraceStep, Verdict

_RU, _EN = 0, 1

_ACTIONS = {
    RouteAction.DIAL: ("звонить", "ring"),
    RouteAction.REJECT: ("отказать", "refuse"),
    RouteAction.CALLBACK: ("предложить перезвонить", "offer to call back"),
    RouteAction.FALLBACK: ("запасной набор АТС", "the PBX's own fallback"),
    RouteAction.MENU: ("голосовое меню", "voice menu"),
}
_STAGES = {
    RouteStage.LIST: ("особый список", "special list"),
    RouteStage.LINE: ("линия", "line"),
    RouteStage.MENU: ("меню", "menu"),
    RouteStage.MANAGER: ("личный менеджер", "own manager"),
    RouteStage.DEPUTY: ("заместитель", "deputy"),
    RouteStage.GROUP: ("группа", "group"),
    RouteStage.DUTY: ("дежурные", "duty"),
    RouteStage.CALLBACK: ("обратный звонок", "callback"),
}
_VERDICTS = {
    Verdict.RINGS: ("звонит", "rings"),
    Verdict.ABSENT: ("отсутствует", "away"),
    Verdict.BUSY: ("занят", "busy"),
    Verdict.UNREACHABLE: ("телефон не на связи", "telephone unreachable"),
    Verdict.DO_NOT_DISTURB: ("не беспокоить", "do not disturb"),
    Verdict.NO_EXTENSION: ("нет телефона", "no telephone"),
    Verdict.DISABLED: ("отключён", "disabled"),
    Verdict.TRIED: ("уже звонили", "rung already"),
    Verdict.NOBODY: ("никого", "nobody"),
    Verdict.LISTED: ("номер в списке", "number is listed"),
    Verdict.OFF_HOURS: ("не в рабочее время", "off hours"),
    Verdict.PAUSED: ("пауза в очереди", "paused in a queue"),
    Verdict.WRAP_UP: ("отдыхает после звонка", "rests after a call"),
    Verdict.CHOSEN: ("выбрано", "chosen"),
    Verdict.CLOSED: ("закрыто", "closed"),
    Verdict.LATER: ("очередь не дошла", "not their turn"),
}
_REASONS = {
    **{stage.value: words for stage, words in _STAGES.items()},
    "listed": ("номер в списке", "number is listed"),
    "night": ("линия закрыта", "the line is closed"),
    "anonymous": ("номер скрыт", "hidden number"),
    "nobody": ("звонить некому", "nobody is left"),
}
_STATES = {
    DeviceState.UNKNOWN: ("неизвестно", "unknown"),
    DeviceState.IDLE: ("свободен", "free"),
    DeviceState.RINGING: ("звонит", "ringing"),
    DeviceState.BUSY: ("занят", "busy"),
    DeviceState.UNREACHABLE: ("не на связи", "unreachable"),
}
_BLACKLIST = "чёрный список"


def verdict_words(verdict: Verdict, language: str = "ru") -> str:
    """Why somebody rings or is passed over."""
    return _VERDICTS[verdict][_of(language)]


def state_words(state: DeviceState, language: str = "ru") -> str:
    """What a telephone does."""
    return _STATES[state][_of(language)]


def step_words(step: TraceStep, language: str = "ru") -> str:
    """One consideration: `группа ivan: занят`."""
    at = _of(language)
    who = " ".join(each for each in (_STAGES[step.stage][at], step.login) if each)
    if step.verdict is Verdict.LISTED:
        return f"{who}: {_listed(step.detail, at)}"
    if step.verdict is Verdict.CLOSED:
        return f"{who}: {(f'закрыта, дальше {step.detail}', f'closed, then {step.detail}')[at]}"
    if step.stage is RouteStage.MENU and step.verdict is Verdict.NOBODY and not step.login and step.detail:
        pressed = (
            ("ничего не нажато", "nothing was pressed") if step.detail == "-" else ("такой клавиши нет", "no such key")
        )
        return f"{who}: {pressed[at]}"
    if step.stage is RouteStage.CALLBACK and step.verdict is Verdict.RINGS:
        return f"{who}: {('предлагается', 'offered')[at]}"
    if step.verdict is Verdict.CHOSEN:
        return f"{who}: {step.detail}"
    return f"{who}: {_VERDICTS[step.verdict][at]}" + (f" ({step.detail})" if step.detail else "")


def decision_words(decision: RouteDecision, language: str = "ru") -> str:
    """What is done now, and why: `звонить PJSIP/101, 20 с: личный менеджер`."""
    at = _of(language)
    text = _ACTIONS[decision.action][at]
    if decision.endpoints:
        text += f" {', '.join(decision.endpoints)}, {decision.ring_s} {('с', 's')[at]}"
    if decision.keys:
        text += f" {decision.keys}"
    reason = _REASONS.get(decision.reason)
    why = reason[at] if reason is not None else decision.reason
    return text if not why or why == _ACTIONS[decision.action][at] else f"{text}: {why}"


def _listed(name: str, at: int) -> str:
    if at == _RU:
        return "в чёрном списке" if name == _BLACKLIST else f"в списке «{name}»"
    return f"on the list «{name}»"


def _of(language: str) -> int:
    return _RU if language == "ru" else _EN
