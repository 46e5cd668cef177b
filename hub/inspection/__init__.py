"""Looking at files that strangers sent, before anybody opens them: what they truly are, and why to be careful.

Nothing is unpacked, decoded or run: only headers, tables of contents and names are read, in bounded pieces.
"""

from hub.inspection.door import FileInspector, stored_files
from hub.inspection.judging import Judgement, judge

__all__ = ["FileInspector", "Judgement", "judge", "stored_files"]
