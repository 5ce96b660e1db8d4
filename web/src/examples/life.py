# Conway's Game of Life: a cell lives on with two or three neighbours, and is born with three.
import time

GLIDER = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}
WIDTH, HEIGHT = 12, 6


def neighbours(x, y):
    around = (-1, 0, 1)
    cells = {((x + dx) % WIDTH, (y + dy) % HEIGHT) for dx in around for dy in around}
    return cells - {(x, y)}


def step(alive):
    candidates = alive.union(*(neighbours(*cell) for cell in alive))
    counts = {cell: len(neighbours(*cell) & alive) for cell in candidates}
    return {cell for cell, n in counts.items() if n == 3 or (n == 2 and cell in alive)}


alive = GLIDER
for generation in range(1, 7):
    print(f"generation {generation}")
    for y in range(HEIGHT):
        print("".join("\x1b[32m■\x1b[0m " if (x, y) in alive else "· " for x in range(WIDTH)))
    print(flush=True)
    alive = step(alive)
    time.sleep(0.3)
