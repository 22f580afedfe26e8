"""Plates by their corners, clockwise from their own top left."""

import cv2
import numpy as np


def box_corners(box):
    """The corners of x, y, width, height, clockwise from the top left."""
    x, y, w, h = box
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)


def laid(picture, corners, where, size):
    """The plate with these corners, laid at `where` (left, top, right, bottom) in a picture of `size`, and the way there."""
    left, top, right, bottom = where
    target = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target)
    across = np.linalg.norm(corners[1] - corners[0]) / (right - left)
    down = np.linalg.norm(corners[3] - corners[0]) / (bottom - top)
    if max(across, down) > 1.5:  # average before strokes alias away
        fine = np.diag([2.0, 2.0, 1.0]) @ matrix
        fine[:2, 2] += 0.5
        double = cv2.warpPerspective(
            picture, fine, (size[0] * 2, size[1] * 2), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return cv2.resize(double, size, interpolation=cv2.INTER_AREA), matrix
    return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), matrix
