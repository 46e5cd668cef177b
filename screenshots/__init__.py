"""The pages of a believable office as pictures, for the documents: `scripts/screenshots`."""
