"""The configuration of nbgrader that `make assignment` uses; it may be copied.

nbgrader's own commands read it from the folder of the course: `nbgrader autograde`
there, with the checkout on the path (it is, in `.venv-lecture`), grades as `make
assignment` does.
"""

from pathlib import Path

c = get_config()  # noqa: F821

HERE = Path.cwd()
c.CourseDirectory.course_id = "backprop"
c.CourseDirectory.root = str(HERE)
# Students work under their own names; no cell but the check cells is held fast.
c.OverwriteCells.add_missing_cells = True
# The stubs are those of the notebooks, which hold no solution: none is cut out.
c.GenerateAssignment.preprocessors = [
    f"nbgrader.preprocessors.{name}"
    for name in ("LockCells", "ClearOutput", "CheckCellMetadata", "ComputeChecksums")
    + ("SaveCells", "ComputeChecksums", "CheckCellMetadata")
]
# Run in a room of its own, with limits, and judged from outside with hidden inputs.
c.Autograde.autograde_preprocessors = [
    "lecture.grading.execute.ExecuteInRoom",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ExecuteInRoom.seconds = 900
c.ExecuteInRoom.cell_seconds = 120
c.ExecuteInRoom.course = str(HERE)
SEED = HERE / "seed.txt"
c.ExecuteInRoom.seed = int(SEED.read_text()) if SEED.exists() else 0
# Nothing is fetched from the web.
c.HTMLExporter.mathjax_url = ""
c.HTMLExporter.require_js_url = ""
c.HTMLExporter.jquery_url = ""
