import json
import os
import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "train_colab.ipynb"


def test_the_notebook_runs_on_small_data(data_folder, tmp_path):
    """Its code cells as one plain program: no kernel and no further package is needed."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in code)
    runs = tmp_path / "runs"
    runs.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", "\n\n".join("".join(cell["source"]) for cell in code)],
        cwd=NOTEBOOK.parents[1],
        env=os.environ | {"HCR_SMALL": "1", "HCR_DATA": str(data_folder), "HCR_RUNS": str(runs)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (runs / "models" / "hcr62.tflite").exists()
    assert (runs / "prediction.png").exists()
    assert list((runs / "figures").glob("*.html"))
    assert list((runs / "explore").glob("*.html"))
