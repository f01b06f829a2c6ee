# One static binary in an empty image. Build: make docker. Run: see docs/operations.md.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/parley ./cmd/parley \
 && mkdir -p /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/parley /parley
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV PARLEY_STORE_DIR=/data
VOLUME /data
# Signaling and page, media, TURN. The admin port 7702 stays inside.
EXPOSE 7700/tcp 7701/udp 7701/tcp 3478/udp 3478/tcp 5349/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/parley", "healthcheck"]
ENTRYPOINT ["/parley"]
CMD ["serve"]
