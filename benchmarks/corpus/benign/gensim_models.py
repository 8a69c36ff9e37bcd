"""gensim: word vectors and topic models by ``save`` (a pickle, with arrays beside it when large)."""

from __future__ import annotations

from gensim import corpora, models

from benchmarks.corpus.benign.workshop import SEED, Shelf

TEXTS = [["human", "machine", "interface"], ["graph", "trees", "minors"], ["human", "trees", "survey"]] * 8


def saved(shelf: Shelf) -> None:
    """Word2Vec, FastText, Doc2Vec, KeyedVectors, LDA, TF-IDF, a dictionary, phrases."""
    dictionary = corpora.Dictionary(TEXTS)
    bags = [dictionary.doc2bow(text) for text in TEXTS]
    words = models.Word2Vec(TEXTS, vector_size=8, min_count=1, seed=SEED, workers=1)
    documents = [models.doc2vec.TaggedDocument(text, [n]) for n, text in enumerate(TEXTS)]
    values = {
        "Word2Vec": words,
        "KeyedVectors": words.wv,
        "FastText": models.FastText(TEXTS, vector_size=4, min_count=1, bucket=50, seed=SEED, workers=1),
        "Doc2Vec": models.Doc2Vec(documents, vector_size=4, min_count=1, seed=SEED, workers=1),
        "LdaModel": models.LdaModel(bags, num_topics=2, id2word=dictionary, random_state=SEED),
        "TfidfModel": models.TfidfModel(bags),
        "Dictionary": dictionary,
        "Phrases": models.Phrases(TEXTS, min_count=1),
    }
    for name, value in values.items():
        value.save(str(shelf.put(f"{name}.model", library="gensim", subject=name, technique="gensim-save")))
    words.wv.save_word2vec_format(
        str(shelf.put("vectors.bin", library="gensim", subject="word2vec-format", technique="word2vec-binary")), binary=True
    )
    words.wv.save_word2vec_format(
        str(shelf.put("vectors.txt", library="gensim", subject="word2vec-format", technique="word2vec-text"))
    )


def separate_arrays(shelf: Shelf) -> None:
    """A model whose arrays were split off into npy files."""
    words = models.Word2Vec(TEXTS, vector_size=8, min_count=1, seed=SEED, workers=1)
    folder = shelf.put("folder", library="gensim", subject="Word2Vec", technique="gensim-folder", group="project")
    folder.mkdir()
    words.save(str(folder / "words.model"), sep_limit=1)


def exchanged(shelf: Shelf) -> None:
    """Models in the formats of other programs: fastText's binary, and word vectors of a realistic width."""
    model = models.FastText(TEXTS, vector_size=4, min_count=1, bucket=50, seed=SEED, workers=1)
    path = shelf.put("fasttext.bin", library="gensim", subject="fasttext-format", technique="fasttext-binary")
    models.fasttext.save_facebook_model(model, str(path))
    wide = models.Word2Vec(TEXTS, vector_size=300, min_count=1, seed=SEED, workers=1).wv
    path = shelf.put("wide.bin", library="gensim", subject="wide", technique="word2vec-binary")
    wide.save_word2vec_format(str(path), binary=True)
