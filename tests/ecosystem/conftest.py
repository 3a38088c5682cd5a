collect_ignore = ["billing", "fulfilment", "mailer", "shop"]  # repositories of their own: the tests beside them run pytest in them
