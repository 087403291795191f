"""The copy that the source itself keeps."""
