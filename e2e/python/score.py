"""How well speech is understood after a call: compares what was heard with what was said, and prints JSON.

    score.py SAID.wav HEARD.wav

SAID is a clip of utterances with pauses, which the sender plays in a loop. HEARD is a recording that begins and ends anywhere in that loop. Each utterance
that was said while it was recorded is found, its reference is stretched as a jitter buffer has stretched what was heard, and the two are compared:
STOI (Taal et al. 2011), and PESQ wide band (ITU-T P.862.2) where the package `pesq` is there. Not to be understood at all is 0, and 1 for PESQ.
"""

import json
import sys
import warnings
from math import gcd

import numpy as np
from pystoi import stoi
from scipy.io import wavfile
from scipy.ndimage import maximum_filter1d
from scipy.signal import butter, fftconvolve, resample_poly, sosfiltfilt

try:
    from pesq import PesqError, pesq
except ImportError:
    pesq = None

# What everything is compared at, in Hz: PESQ wide band knows no more, STOI less.
RATE = 16_000

# Of the search, in Hz: enough for the fundamental and the first formants.
COARSE = 4_000

# Least pause between utterances in seconds, and what counts as silent, as a share of the clip's peak.
PAUSE, SILENT = 0.4, 0.003

# An utterance is searched for by pieces, in seconds, so that stretched ones are found; how far pieces of a loop may be off from each other.
PIECE, SCATTER = 0.4, 0.5

# How far an utterance may be from where the loop or the one before it says, in seconds; how far its pieces from each other.
FAR, NEAR = 0.8, 0.05

# Stretching is followed in steps, by windows, within a range around the utterance's place, all in seconds.
STEP, WINDOW, RANGE = 0.02, 0.16, 0.3

# The path of the delay is one of milliseconds. What a change costs, in correlation: any, for each millisecond, and at most.
CHANGE, MILLISECOND, MOST = 0.3, 0.02, 1.5

# Changes of the delay are faded over so many seconds.
FADE = 0.01

# Understood: at this STOI about half of the words are (Taal et al. 2011, figure 5).
UNDERSTOOD = 0.5


def read(path):
    """A file's samples, mono, at RATE."""
    with warnings.catch_warnings():
        # A recording that was cut off promises more than there is.
        warnings.simplefilter("ignore")
        rate, samples = wavfile.read(path)
    scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    samples = samples.astype(np.float64) / scale
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    return at_rate(samples, rate, RATE)


def at_rate(samples, rate, wanted):
    factor = gcd(rate, wanted)
    return resample_poly(samples, wanted // factor, rate // factor) if rate != wanted else samples


def utterances(clip):
    """First and last sample of each, a little of the pauses around it included."""
    frame = RATE // 100
    loud = np.abs(clip[: len(clip) // frame * frame]).reshape(-1, frame).max(axis=1) > SILENT * np.abs(clip).max()
    found = []
    for index in np.flatnonzero(loud):
        if found and index - found[-1][1] < PAUSE * 100:
            found[-1][1] = index
        else:
            found.append([index, index])
    return [(max(first - 5, 0) * frame, min((last + 6) * frame, len(clip))) for first, last in found]


def correlation(signal, piece):
    """Normalised cross-correlation of a piece with each place of a signal."""
    products = fftconvolve(signal, piece[::-1], mode="valid")
    floor = 1e-6 * len(piece)
    return products / np.sqrt(np.maximum(running(signal**2, len(piece)), floor) * max(np.sum(piece**2), floor))


def running(values, count):
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[count:] - total[:-count]


def offset(clip, heard):
    """Where the clip begins in the recording, in samples modulo its length, by the votes of all pieces; None when nothing of it is there."""
    coarse = [band(signal) for signal in (clip, heard)]
    ratio, period, piece = RATE // COARSE, len(coarse[0]), int(PIECE * COARSE)
    votes = np.zeros(period)
    for first, last in utterances(clip):
        for start in range(first // ratio, last // ratio - piece, piece):
            likeness = correlation(coarse[1], coarse[0][start : start + piece])
            # Each turn of the loop has its best place.
            for turn in range(0, len(likeness), period):
                place = turn + int(np.argmax(likeness[turn : turn + period]))
                votes[(place - start) % period] += max(likeness[place] - 0.3, 0.0)
    width = int(SCATTER * COARSE)
    around = running(np.concatenate([votes, votes[:width]]), width)[:period]
    if around.max() < 0.5:
        return None
    best = int(np.argmax(around))
    near = np.roll(votes, -best)[:width]
    return (best + int(np.argsort(near)[-1])) % period * ratio


def band(signal):
    return at_rate(sosfiltfilt(butter(4, [150, 1_700], "bandpass", fs=RATE, output="sos"), signal), RATE, COARSE)


def delays(said, heard):
    """How much later than expected each step of an utterance is heard, in samples; `heard` has RANGE more at both ends.

    The path of the greatest likeness (Viterbi 1967) under a price of changes, first to the millisecond."""
    step, window, millisecond = int(STEP * RATE), int(WINDOW * RATE), RATE // 1_000
    reach = int(RANGE * 1_000)
    states = np.arange(-reach, reach + 1)
    apart = np.abs(states[:, None] - states[None, :])
    price = np.minimum((apart > 0) * CHANGE + apart * MILLISECOND, MOST)
    whole = np.sqrt(np.mean(said**2))
    score, back = np.zeros(len(states)), []
    for start in range(0, max(len(said) - window, 1), step):
        part = said[start : start + window]
        # What is almost silent says nothing.
        weight = min(np.sqrt(np.mean(part**2)) / whole, 1.0)
        likeness = correlation(heard[start : start + len(part) + 2 * reach * millisecond], part)[::millisecond]
        likeness = np.pad(likeness, (0, max(len(states) - len(likeness), 0)))[: len(states)]
        options = score[None, :] - price
        best = np.argmax(options, axis=1)
        back.append(best)
        score = options[np.arange(len(states)), best] + weight * likeness
    state, path = int(np.argmax(score)), []
    for best in reversed(back):
        path.append(state)
        state = int(best[state])
    return precise(said, heard, states[path[::-1]] * millisecond)


def precise(said, heard, path):
    """The same path to the sample: what has one delay is looked at as a whole."""
    step, window, margin, fine = int(STEP * RATE), int(WINDOW * RATE), int(RANGE * RATE), RATE // 1_000
    path = path.copy()
    bounds = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    for first, last in zip(bounds, bounds[1:]):
        part = said[first * step : (last - 1) * step + window]
        place = first * step + margin + path[first]
        near = heard[max(place - fine, 0) : place + len(part) + fine]
        if place >= fine and len(near) == len(part) + 2 * fine:
            path[first:last] += int(np.argmax(correlation(near, part))) - fine
    return path


def retimed(said, path, length):
    """The utterance as it would be heard with these delays and nothing else: faded from one delay to the next."""
    step, window, fade = int(STEP * RATE), int(WINDOW * RATE), int(FADE * RATE)
    # A step is about the middle of its window.
    steps = np.round((np.arange(length) - window // 2) / step).astype(int)
    delay = path[np.clip(steps, 0, len(path) - 1)]
    out = np.zeros(length)
    for value in np.unique(delay):
        weight = np.pad((delay == value).astype(float), fade, mode="edge")
        weight = running(weight, 2 * fade + 1) / (2 * fade + 1)
        source = np.arange(length) - value
        inside = (source >= 0) & (source < len(said))
        out[inside] += weight[inside] * said[source[inside]]
    return out


def compare(said, heard):
    """STOI and PESQ of one utterance, and how much later than expected it is heard, in samples."""
    path = delays(said, heard)
    late = int(np.median(path))
    place = heard[int(RANGE * RATE) + late :][: len(said)]
    place = np.pad(place, (0, len(said) - len(place)))
    reference = retimed(said, path - late, len(said))
    return understood(reference, place), quality(reference, place), late


def understood(reference, heard):
    with warnings.catch_warnings():
        # Too little sound for it: nothing is understood.
        warnings.simplefilter("ignore")
        return float(np.clip(stoi(reference, heard, RATE), 0.0, 1.0)) if np.any(heard) else 0.0


def quality(reference, heard):
    if pesq is None:
        return None
    try:
        return float(pesq(RATE, reference.astype(np.float32), heard.astype(np.float32), "wb"))
    except (PesqError, ValueError):
        return 1.0


def whereabouts(said, heard):
    """Where in a recording an utterance is about, in samples, by the likeness of its pieces. Not before it begins."""
    said, heard = band(said), band(heard)
    piece, near = int(PIECE * COARSE), int(NEAR * COARSE)
    places = len(heard) - len(said) + 1
    votes = np.zeros(places)
    for start in range(0, len(said) - piece, piece):
        likeness = correlation(heard, said[start : start + piece])[start : start + places]
        votes += maximum_filter1d(likeness, 2 * near + 1)
    # In the middle of the best places.
    best = np.flatnonzero(votes >= votes.max() - 1e-3)
    return int(best[len(best) // 2]) * RATE // COARSE


def score(clip, heard):
    """All that was said while it was recorded, utterance by utterance."""
    begin, margin, far, period = offset(clip, heard), int(RANGE * RATE), int(FAR * RATE), len(clip)
    spoken = utterances(clip)
    if begin is None:
        return [None] * (len(spoken) * len(heard) // period)
    around = np.pad(heard, far + margin)
    scored, late = [], 0
    for turn in range(-1, len(heard) // period + 1):
        for first, last in spoken:
            place, length = begin + turn * period + first, last - first
            # The recording holds all of it.
            if place < 0 or place + length > len(heard):
                continue
            # From where it would be if it were as late as the one before, in the padded recording.
            expected = min(max(place + late, 0), len(heard) - length) + margin
            found = expected + whereabouts(clip[first:last], around[expected : expected + length + 2 * far])
            result = compare(clip[first:last], around[found - margin : found + length + margin])
            if result[0] >= UNDERSTOOD:
                late = found - margin - far + result[2] - place
            scored.append(result)
    return scored


def summary(scored):
    stois = [result[0] if result else 0.0 for result in scored]
    pesqs = [result[1] if result else 1.0 for result in scored]
    told = [value for value in pesqs if value is not None]
    return {
        "said": len(scored),
        "understood": sum(value >= UNDERSTOOD for value in stois),
        "stoi": {"mean": float(np.mean(stois)), "worst": min(stois)} if stois else None,
        "pesq": {"mean": float(np.mean(told)), "worst": min(told)} if told and pesq else None,
        "utterances": [round(value, 4) for value in stois],
    }


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(json.dumps(summary(score(read(sys.argv[1]), read(sys.argv[2])))))
