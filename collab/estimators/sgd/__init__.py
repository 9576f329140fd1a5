"""Models trained by gradient descent: those of the fastai book's chapter.

Every model is made by `Model(n_users, n_items, *, generator, ...)`, where the sizes count index 0,
the unknown, and `generator` draws the weights; `model(users, items)` takes two integer tensors (B,)
and returns scores (B,).
"""
