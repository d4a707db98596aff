"""Usual names of columns, and whether a name says that high means attack."""

from __future__ import annotations

import re

COLUMN_NAMES: dict[str, list[str]] = {
    role: names.split()
    for role, names in {
        "id": "id sample_id image_id path file filename file_name filepath file_path image image_path "
        "image_name img img_path img_name rgb color sample name",
        "score": "score scores prob probs probability confidence pred_score prediction_score "
        "p_live live_score score_live live_prob prob_live live_probability live_confidence "
        "p_real real_score score_real real_prob prob_real liveness liveness_score "
        "bonafide_score score_bonafide prob_bonafide genuine_score score_genuine "
        "p_attack attack_score score_attack attack_prob prob_attack attack_probability "
        "p_spoof spoof_score score_spoof spoof_prob prob_spoof spoof_probability "
        "p_fake fake_score score_fake fake_prob prob_fake",
        "label": "label labels gt ground_truth groundtruth target y y_true truth class "
        "live is_live real is_real bonafide bona_fide is_bonafide genuine is_genuine "
        "attack is_attack spoof is_spoof fake is_fake gt_label true_label",
        "species": "species attack_species attack_type spoof_type pai pai_species pais "
        "instrument attack_instrument",
        "split": "split subset partition",
        "subject": "subject subject_id client client_id person person_id user user_id",
        "group": "group",
        "session": "session session_id",
        "device": "device device_id sensor camera",
        "video": "video video_id clip clip_id",
        "frame": "frame frame_id frame_number",
        "modalities": "modalities",
    }.items()
}
"""`{role: names}`. Of several ids the first in this order is used; other roles may have one column."""


def normalize_name(name: str) -> str:
    """`Live-Score ` and `live.score` become `live_score`."""
    return re.sub(r"[\s.\-()]+", "_", name.strip().lower()).strip("_")


def is_known_name(name: str) -> bool:
    """Whether it is a usual name of any column."""
    return any(normalize_name(name) in names for names in COLUMN_NAMES.values())


def mentions_attack(name: str) -> bool:
    """Whether a name says that 1, or a high score, means attack."""
    return not {"attack", "spoof", "fake"}.isdisjoint(normalize_name(name).split("_"))
