"""Where frames come from: cameras, video files, streams, images. Each yields `Frame`s."""
