# How often does each word occur? A Counter is a dictionary that counts.
from collections import Counter

TEXT = """
the more that you read the more things you will know
the more that you learn the more places you will go
"""

counts = Counter(TEXT.split())
widest = max(len(word) for word in counts)

for word, count in counts.most_common(8):
    print(f"{word:>{widest}}  {'█' * count} {count}")

print(f"\n{len(counts)} different words, {counts.total()} in all")
