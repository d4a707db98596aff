"""The rules of the contracts, and why each exists; a check that fails says which one is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

RULES = {
    "loads": "A component that cannot be imported or called ends the command of whoever chose it.",
    "options": "Recipes, runs and exported files store options as plain data, and read the same ones.",
    "call": "fas calls every component of a kind in the same way; what one raises ends the user's command.",
    "attributes": "The parts of a model are fitted together, trained and exported by these attributes.",
    "shapes": "The next part of a model, or the trainer, was built for these shapes; NaN ends a training.",
    "number of classes": "Imported networks tell kinds of attack apart; a classifier has their columns.",
    "stages": "A fusion takes a stage of each branch; layers after it would be exported for nothing.",
    "training": "Networks are trained before they are evaluated: batches pass forwards and backwards.",
    "independent samples": "Whether a face is alive must not depend on whose photos are scored with it.",
    "order of modalities": "Modalities are told apart by name; recipes and callers list them in any order.",
    "embedding": "Losses over embeddings, and the novelty of a face, take the classifier's input.",
    "missing modalities": "A model trained with modality dropout scores samples whose images are missing.",
    "needs": "Only the outputs and images that a loss asks for are computed and read.",
    "depends on labels": "A loss that is the same for any labels teaches nothing.",
    "crops": "What lies outside of a face cannot be read, and modalities of other sizes get the same crop.",
    "images": "Images of a batch are joined to one array of bytes, at the size of the network's input.",
    "seeded": "A run is repeated and continued, by any number of processes: all they share is the seed.",
    "writes to no image": "Faces may be mapped from the cache's files, and shared with other processes.",
    "donors": "A mixed image keeps its sample's label, and every process finds the donors of its part.",
    "parts of a batch": "Processes that train together mix a part of the batch each.",
    "mean": "A batch is divided over processes and steps, which only a mean over its samples allows.",
    "one class": "A shuffled batch can be of live samples alone, or of attacks; one NaN ends the run.",
    "finite gradient": "Logits grow large in training, and one gradient that is not finite ends the run.",
    "parameter groups": "Layers have learning rates of their own; each group is one, with its factor.",
    "descends": "An update that does not lower the loss of a simple bowl lowers that of no network.",
    "learning rate": "A schedule sets the learning rate of every group before each update.",
    "without gradients": "A model may have layers that its loss does not use; they stay as they are.",
    "goes on": "A run that was stopped ends with the same weights, bit for bit; what is saved is checked.",
    "factor": "The learning rate is multiplied by it; a negative one climbs, and NaN ends the run.",
    "update alone": "A run that is resumed begins in the middle, and processes count for themselves.",
    "figures": "Tables, intervals and reports are of named numbers, NaN where one is not defined.",
    "order of samples": "Scores are sorted, divided and resampled; figures are of the set of samples.",
    "every table": "Data has one class, no labels or failed images, and a metric must not end a report.",
    "splits": "Training, dev and test are separate samples; overlaps by design are declared.",
    "samples": "The loader and the score tables find a sample by its id and its label: 1 live, 0 attack.",
    "files": "What is missing must be known before the training begins, not in the middle of an epoch.",
    "reads alike": "Folds, resumed runs and fingerprints rest on data that read the same every time.",
    "written files": "fas names, verifies and hashes the files that the descriptor declares, and no others.",
    "model": "Formats are exported one after the other from one model.",
    "verified": "No file is left that scores otherwise than the model that was evaluated.",
    "valid recipe": "Whoever runs a recipe by its name has not written it, and cannot mend it.",
    "engine": "fas runs every model file by the names of its inputs and outputs: the modalities, `score`.",
    "card": "Threshold, sizes and crops go with the file: its metadata is the card that was exported.",
    "batch sizes": "fas predict scores 8 faces at a time, fas serve one, fas eval what is left of a split.",
    "threads": "fas predict and fas serve score in threads that share one engine, or one detector.",
    "damaged files": "A file that is torn or of another kind is the user's mistake, in one line.",
    "faces": "Photos are cropped to the largest box, and aligned by the five landmarks.",
    "searches alike": "A photo's crop, and with it its score, must not depend on what was searched before.",
    "events": "A tracker follows runs to their end; its failures are warnings in the midst of a training.",
}


class ContractError(AssertionError):
    """A component breaks a rule of its contract; the message says how, `why` the reason for the rule."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule, self.why = rule, RULES[rule]
        self.add_note(f"rule {rule!r}: {self.why}")


@contextmanager
def rule(name: str) -> Iterator[None]:
    """Name the rule that an AssertionError of the block, or of the decorated function, is about."""
    try:
        yield
    except ContractError:
        raise
    except AssertionError as error:
        message = str(error).partition("\n")[0]  # pytest adds lines to what `assert` raises
        raise ContractError(message, name) from error
