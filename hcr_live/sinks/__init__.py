"""Where results go: window, recording, events, snapshots."""
