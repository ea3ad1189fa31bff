"""The reviewer's workbook, and several of them merged."""
