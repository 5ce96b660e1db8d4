# One of these lines holds a mistake. Run it: the console says what went wrong, and a click on
# "main.py, line ..." leads to the place.
prices = {"apple": 0.5, "bread": 2.2, "cheese": 4.8}


def total(basket):
    result = 0
    for name, amount in basket.items():
        result += prices[name] * amount
    return result


print("Two apples and a bread:", total({"apple": 2, "bread": 1}))
print("Three pears:", total({"pear": 3}))
