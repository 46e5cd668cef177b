"""The files of recordings: found in the PBX's folder, judged, put away into an object storage."""
