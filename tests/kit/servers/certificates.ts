/** Certificates of one test, in a folder of their own, made with openssl. */
export class Certificates implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes a certificate authority. */
  static async make(): Promise<Certificates> {
    const made = new Certificates(await Deno.makeTempDir({ prefix: "hubplane-" }));
    await made.#openssl(
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
      ..."-keyout authority.key -out authority.pem -subj /CN=authority".split(" "),
      ...["-addext", "keyUsage=keyCertSign"],
    );
    return made;
  }

  /** Issues `name`.pem and `name`.key for the given subject alternative names, such as `IP:127.0.0.1`. */
  async issue(name: string, alternativeNames: string): Promise<void> {
    await this.#openssl(
      ..."req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(" "),
      ...`-keyout ${name}.key -out ${name}.request -subj /CN=${name}`.split(" "),
    );
    await Deno.writeTextFile(
      this.path(`${name}.extensions`),
      `subjectAltName=${alternativeNames}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    await this.#openssl(
      ..."x509 -req -CA authority.pem -CAkey authority.key -CAcreateserial -days 2".split(" "),
      ...`-in ${name}.request -out ${name}.pem -extfile ${name}.extensions`.split(" "),
    );
  }

  /** The path of a file, such as `authority.pem`. */
  path(file: string): string {
    return `${this.#folder}/${file}`;
  }

  /** What a file says. */
  read(file: string): Promise<string> {
    return Deno.readTextFile(this.path(file));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #openssl(...args: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: this.#folder })
      .output();
    if (!success) throw new Error(`Cannot run openssl: ${new TextDecoder().decode(stderr)}`);
  }
}
