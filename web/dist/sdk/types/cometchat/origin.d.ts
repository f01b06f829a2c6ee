/** Where this script came from, which is where its server is. Only readable while the script is being loaded. */
export declare const scriptOrigin: string | undefined;
