"""The picture in the thread at a canary's end: what it says, how it is drawn, how it gets there."""
