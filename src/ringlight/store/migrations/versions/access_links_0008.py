"""What a key shows in Digest, and the links to cameras that were made, so that they can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column and make the table. Older keys have no Digest, and older links are not known any more."""
    op.add_column("access_keys", sa.Column("digest", sa.Text))
    op.create_table(
        "camera_links",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("talk", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False, index=True),
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_table("camera_links")
    op.drop_column("access_keys", "digest")
