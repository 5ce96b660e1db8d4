# Everybody in this room sees the same output, line by line, while the program runs.
import time

for number in range(1, 6):
    print(f"Hello {number} of 5", flush=True)
    time.sleep(0.4)

print("Now change something and run it again.")
