"""Scenes played between two calls: what other people do in the org at just that moment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from salesforce_bridge.simulator.acts import play
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import Json, RequestRefused, RowRefused
from salesforce_bridge.simulator.wire import Request

Act = Mapping[str, Json]


@dataclass(slots=True, kw_only=True)
class Scene:
    """Acts that are played atomically just before or just after one API call."""

    acts: Sequence[Act]
    before: bool
    call: int | None
    match: str | None
    outcomes: list[Json] = field(default_factory=list)
    played: bool = False
    met: int = 0

    def due(self, request: Request) -> bool:
        """Whether this request is the one; asked once for every API call."""
        if self.played:
            return False
        told = f"{request.method} {request.readable_target}\n"
        if self.match is not None and not re.search(
            self.match, told + request.body.decode("utf-8", "replace")
        ):
            return False
        self.met += 1
        return self.call is None or self.met == self.call


class Scripts:
    """The scenes that wait for their moment, and those that were played."""

    def __init__(self) -> None:
        self._scenes: dict[str, Scene] = {}

    def add(self, scene: Scene) -> str:
        """Wait for the moment of a scene; returns its name."""
        name = f"script-{len(self._scenes) + 1}"
        self._scenes[name] = scene
        return name

    def clear(self) -> None:
        """Forget all scenes."""
        self._scenes.clear()

    def outcomes(self, name: str) -> Json:
        """What each act of a scene came to; null while it waits."""
        scene = self._scenes[name]
        return list(scene.outcomes) if scene.played else None

    def due(self, request: Request) -> list[Scene]:
        """The scenes whose moment this call is."""
        return [scene for scene in self._scenes.values() if scene.due(request)]


def play_scenes(org: Org, scenes: Sequence[Scene], *, before: bool) -> None:
    """Play the scenes that belong before, or after, the call."""
    for scene in scenes:
        if scene.before == before and not scene.played:
            scene.played = True
            scene.outcomes.extend(_outcome(org, act) for act in scene.acts)


def _outcome(org: Org, act: Act) -> Json:
    try:
        return play(org, act)
    except RowRefused as refusal:
        return {"refused": refusal.status_code, "message": refusal.message}
    except RequestRefused as refusal:
        return {"refused": refusal.error_code, "message": refusal.message}
