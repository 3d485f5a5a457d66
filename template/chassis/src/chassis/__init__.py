"""What every AI service needs, kept current by `copier update`; the team's product lives in `src/app`."""
