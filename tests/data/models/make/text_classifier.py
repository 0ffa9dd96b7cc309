"""text_classifier: tells fifteen languages apart from hashed character trigrams, an embedding and a mean.

Data     the translated messages of Django and Wagtail (both BSD-3-Clause, the PyPI packages of these names install them beside
         their modules), split by message, so that no test message was seen in training in any language.
Input    ids[n, length] int64, 0 for padding; see `ids_of` for how text becomes ids. Recorded with length 48.
Output   logits[n, 15], in the order of labels.txt.
Also writes sentences.txt: the sentences below, one a line, in the order of the recorded rows.
"""
import gettext
import importlib.util
import pathlib
import re

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import MODELS, save, seed, train

PACKAGES = ["django", "wagtail"]
LANGUAGES = ["cs", "da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "pl", "pt_BR", "ru", "sv", "tr"]
LENGTH, BUCKETS, WIDTH = 48, 2048, 24

SENTENCES = [  # written for this file; one a language, in the order of LANGUAGES
    "Zítra ráno pojedeme vlakem do Prahy a večer se vrátíme.",
    "I morgen tidlig tager vi toget til byen og kommer hjem om aftenen.",
    "Morgen früh fahren wir mit dem Zug in die Stadt und kommen abends zurück.",
    "Tomorrow morning we take the train to the city and come back in the evening.",
    "Mañana por la mañana tomamos el tren a la ciudad y volvemos por la noche.",
    "Huomenna aamulla menemme junalla kaupunkiin ja palaamme illalla.",
    "Demain matin nous prenons le train pour la ville et nous rentrons le soir.",
    "Holnap reggel vonattal megyünk a városba, és este jövünk haza.",
    "Domani mattina prendiamo il treno per la città e torniamo la sera.",
    "Morgenochtend nemen we de trein naar de stad en komen we 's avonds terug.",
    "Jutro rano jedziemy pociągiem do miasta i wracamy wieczorem.",
    "Amanhã de manhã pegamos o trem para a cidade e voltamos à noite.",
    "Завтра утром мы поедем на поезде в город и вернёмся вечером.",
    "I morgon bitti tar vi tåget till staden och kommer hem på kvällen.",
    "Yarın sabah trenle şehre gidiyoruz ve akşam geri dönüyoruz.",
]


def ids_of(text, length=LENGTH):
    """Lower case; anything but letters becomes one space, also at both ends; each three neighbouring characters,
    as UTF-8, hash (FNV-1a, 32 bits) to 1 + hash mod 2047; cut or padded with 0 to `length`."""
    text = " " + re.sub(r"[\W\d_]+", " ", text.lower()).strip() + " "
    ids = []
    for i in range(min(len(text) - 2, length)):
        h = 2166136261
        for byte in text[i:i + 3].encode():
            h = (h ^ byte) * 16777619 & 0xFFFFFFFF
        ids.append(1 + h % (BUCKETS - 1))
    return ids + [0] * (length - len(ids))


def catalogues(language):
    """Every .mo file of a language, in a fixed order."""
    for package in PACKAGES:
        root = pathlib.Path(importlib.util.find_spec(package).origin).parent
        yield from sorted(root.glob(f"**/locale/{language}/LC_MESSAGES/*.mo"))


def messages():
    """[(message number, language number, text)]: the messages that are long enough to tell."""
    found, number = {}, {}
    for language_index, language in enumerate(LANGUAGES):
        for path in catalogues("de" if language == "en" else language):  # English is the key of every catalogue
            with path.open("rb") as file:
                catalogue = gettext.GNUTranslations(file)._catalog
            for key, value in catalogue.items():
                key = key[0] if isinstance(key, tuple) else key  # one of several plural forms
                if not key or key == value:
                    continue
                text = re.sub(r"%\(\w+\)s|\{\w*\}|%[-+ #0-9.]*[a-z]+|<[^>]*>", " ", key if language == "en" else value)
                if len(re.findall(r"[^\W\d_]", text)) >= 20:
                    found[(number.setdefault(key, len(number)), language_index, text)] = None
    return list(found)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(BUCKETS, WIDTH)
        self.head = nn.Linear(WIDTH, len(LANGUAGES))

    def forward(self, ids):
        known = (ids != 0).unsqueeze(-1).to(torch.float32)  # [n, length, 1]
        total = (self.embedding(ids) * known).sum(1)
        return self.head(total / known.sum(1).clamp(min=1.0))


def main():
    seed(4)
    found = messages()
    ids = torch.tensor([ids_of(text) for _, _, text in found])
    labels = torch.tensor([language for _, language, _ in found])
    test = torch.tensor([number % 5 == 0 for number, _, _ in found])
    x, y, tx, ty = ids[~test], labels[~test], ids[test], labels[test]
    net = Classifier()
    train(net, lambda i: F.cross_entropy(net(x[i]), y[i]), len(x), epochs=8, batch=128, lr=2e-2)
    with torch.no_grad():
        accuracy = (net(tx).argmax(1) == ty).float().mean().item()
        sentences = torch.tensor([ids_of(s) for s in SENTENCES])
        right = (net(sentences).argmax(1) == torch.arange(len(LANGUAGES))).sum().item()
    print(f"text_classifier: {len(x)} messages to train, {len(tx)} to test, test accuracy {accuracy:.4f}; "
          f"own sentences right: {right} of {len(LANGUAGES)}")
    assert accuracy >= 0.93
    dynamic = {"ids": {0: "batch", 1: "length"}, "logits": {0: "batch"}}
    save("text_classifier", net, {"ids": sentences}, ["logits"], 11, dynamic, trace={"ids": tx[:2, :40]})
    folder = MODELS / "text_classifier"
    (folder / "labels.txt").write_text("\n".join(LANGUAGES) + "\n")
    (folder / "sentences.txt").write_text("\n".join(SENTENCES) + "\n")


if __name__ == "__main__":
    main()
