# Colours, and a line that is written again and again: "\r" goes back to its beginning.
import time

RED, YELLOW, GREEN, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
WIDTH = 24


def colour(part):
    if part < 0.4:
        return RED
    return YELLOW if part < 0.8 else GREEN


for done in range(WIDTH + 1):
    part = done / WIDTH
    bar = "━" * done + " " * (WIDTH - done)
    print(f"\r{colour(part)}{bar}{PLAIN} {part:4.0%}", end="", flush=True)
    time.sleep(0.08)

print("\nDone.")
