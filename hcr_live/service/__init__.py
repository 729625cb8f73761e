"""The recogniser over HTTP and WebSocket: `python main.py serve`."""
