"""Writing in the air: hand landmarks, pen pose, fingertip path, strokes."""
