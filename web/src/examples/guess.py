# Asks while it runs: answer in the console, and so may everybody else in this room.
import random

secret = random.randint(1, 20)
print("I think of a number from 1 to 20.")

tries = 0
guess = 0
while guess != secret:
    guess = int(input("Your guess: "))
    tries += 1
    if guess < secret:
        print("It is larger.")
    elif guess > secret:
        print("It is smaller.")

print(f"Right, after {tries} tries!")
