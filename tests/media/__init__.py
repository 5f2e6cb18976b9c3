"""The media core, frame by frame: nothing here waits for real time but test_media_threads."""
