"""What channels count stands on the metrics page."""

from channels.pbx import AmiAddress, PbxConfig, create
from crm_core.ports import Measured
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock


def test_a_pbx_is_measured() -> None:
    channel: object = create(
        PbxConfig("office", AmiAddress("127.0.0.1", 5038, "hub", "x")), ChannelWorld(DrivenClock()).context()
    )
    assert isinstance(channel, Measured)
    assert {"ami_events", "calls_going_on", "transitions_dropped"} <= set(channel.measurements())
